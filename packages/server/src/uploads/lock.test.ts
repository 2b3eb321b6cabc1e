import fc from 'fast-check';
import { expect, it } from 'vitest';
import { makeWay, mayTakeOver } from './lock.ts';
import { makePrincipal } from '../images/images.testkit.ts';

const sending = { isLeaving: false, silentForMs: 0, isSame: false };

it('who sends keeps the place: for 10 s of silence, 2 s from the same session', () => {
  expect(mayTakeOver({ ...sending, silentForMs: 9_999 })).toBe(false);
  expect(mayTakeOver({ ...sending, silentForMs: 10_000 })).toBe(true);
  expect(mayTakeOver({ ...sending, silentForMs: 1_999, isSame: true })).toBe(false);
  expect(mayTakeOver({ ...sending, silentForMs: 2_000, isSame: true })).toBe(true);
  expect(mayTakeOver({ ...sending, isLeaving: true })).toBe(true);
});

it('longer silence, and being the same session, never take a right away', () => {
  const silentForMs = fc.nat({ max: 20_000 });
  fc.assert(
    fc.property(silentForMs, silentForMs, fc.boolean(), (before, more, isSame) => {
      const earlier = mayTakeOver({ ...sending, silentForMs: before, isSame });
      if (earlier) expect(mayTakeOver({ ...sending, silentForMs: before + more, isSame })).toBe(true);
      if (mayTakeOver({ ...sending, silentForMs: before }))
        expect(mayTakeOver({ ...sending, silentForMs: before, isSame: true })).toBe(true);
    }),
  );
});

it('where nobody sits there is nobody to wait for', async () => {
  const request = { principal: makePrincipal('ulla') } as Parameters<typeof makeWay>[1];
  await expect(makeWay(undefined, request)).resolves.toBeUndefined();
});
