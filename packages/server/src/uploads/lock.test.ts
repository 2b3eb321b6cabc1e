import fc from 'fast-check';
import { expect, it } from 'vitest';
import { acquireLock, canTakeOver } from './lock.ts';
import { makePrincipal } from '../images/images.testkit.ts';

const sending = { isDraining: false, silentForMs: 0, isSameSession: false };

it('another session can take over after 10 s of silence, the same session after 2 s', () => {
  expect(canTakeOver({ ...sending, silentForMs: 9_999 })).toBe(false);
  expect(canTakeOver({ ...sending, silentForMs: 10_000 })).toBe(true);
  expect(canTakeOver({ ...sending, silentForMs: 1_999, isSameSession: true })).toBe(false);
  expect(canTakeOver({ ...sending, silentForMs: 2_000, isSameSession: true })).toBe(true);
  expect(canTakeOver({ ...sending, isDraining: true })).toBe(true);
});

it('a possible takeover stays possible after longer silence or in the same session', () => {
  const silentForMs = fc.nat({ max: 20_000 });
  fc.assert(
    fc.property(silentForMs, silentForMs, fc.boolean(), (before, more, isSame) => {
      const earlier = canTakeOver({ ...sending, silentForMs: before, isSameSession: isSame });
      if (earlier)
        expect(canTakeOver({ ...sending, silentForMs: before + more, isSameSession: isSame })).toBe(true);
      if (canTakeOver({ ...sending, silentForMs: before }))
        expect(canTakeOver({ ...sending, silentForMs: before, isSameSession: true })).toBe(true);
    }),
  );
});

it('acquireLock resolves at once for an upload without a session', async () => {
  const request = { principal: makePrincipal('ulla') } as Parameters<typeof acquireLock>[1];
  await expect(acquireLock(undefined, request)).resolves.toBeUndefined();
});
