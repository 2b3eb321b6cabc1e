import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Snapshot } from '../core/snapshot.ts';
import { sampleSnapshot } from '../testing/sample-snapshot.ts';
import { describeRow } from './describe.ts';

const states: Snapshot['state'][] = [
  'queued',
  'running',
  'paused',
  'cancelling',
  'interrupted',
  'succeeded',
  'failed',
  'cancelled',
];
const wrong: unknown[] = [
  undefined,
  null,
  7,
  -1,
  Number.NaN,
  Infinity,
  '',
  'text',
  true,
  [],
  [null],
  {},
  5n,
  Symbol('s'),
];
const full: Snapshot = {
  ...sampleSnapshot(),
  error: { code: 'io_error', message: 'The disk failed.', hint: 'Check it.', detail: null },
  stateReason: { code: 'no_space', params: { needs: 10, free: 5 } },
  result: { kind: 'image', id: 1 },
  warnings: ['cancel_too_late'],
  queuePosition: 1,
};
const actions = { cancel: true, pause: true, open: true, details: true, dismiss: true };

/** No text shows a raw value. */
function expectReadable(value: unknown): void {
  for (const connection of ['online', 'offline', 'gone'] as const) {
    const view = describeRow(value as Snapshot, { connection, actions });
    expect(JSON.stringify(view)).not.toMatch(/NaN|undefined|Infinity|\[object|Symbol/);
  }
}

describe('a row of an incomplete snapshot', () => {
  it('needs only a state', () => {
    for (const state of states) expectReadable({ state });
  });

  it('is shown with any field missing or wrong, in every state', () => {
    const fields = Object.keys(full).filter((field) => field !== 'state');
    for (const state of states)
      for (const field of fields)
        for (const value of wrong) expectReadable({ ...full, state, [field]: value });
  });

  it('is shown with any field of a phase, an error or the bytes missing or wrong', () => {
    const phase = full.phases[1]!;
    for (const value of wrong) {
      for (const field of Object.keys(phase))
        expectReadable({ ...full, phases: [value, { ...phase, [field]: value }] });
      for (const field of Object.keys(full.error!))
        expectReadable({ ...full, state: 'failed', error: { ...full.error, [field]: value } });
      for (const field of Object.keys(full.bytes!))
        expectReadable({ ...full, state: 'succeeded', bytes: { ...full.bytes, [field]: value } });
      for (const field of ['code', 'params'])
        expectReadable({ ...full, state: 'paused', stateReason: { ...full.stateReason, [field]: value } });
    }
  });

  it('is shown for random objects with a state', () => {
    const anything = fc.anything({ withNullPrototype: true, withBigInt: true });
    const fields = fc.dictionary(fc.constantFrom(...Object.keys(full)), anything);
    fc.assert(
      fc.property(fields, fc.constantFrom(...states), (drawn, state) => {
        describeRow({ ...drawn, state } as unknown as Snapshot, { actions });
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['null', null, /it is null/],
    ['a text', '{"state":"running"}', /it is of type string/],
    ['an object without a state', { id: 'a' }, /the state missing/],
    ['an unknown state', { id: 'a', state: 'archived' }, /the state "archived"/],
    ['the name of a method of objects as state', { state: 'toString' }, /the state "toString"/],
  ])('is refused by name for %s', (_what, value, message) => {
    const error = (() => {
      try {
        return describeRow(value as unknown as Snapshot);
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(error).toBeInstanceOf(TypeError);
    expect(error).toMatchObject({ code: 'invalid_snapshot', message: expect.stringMatching(message) });
    expect(error).toMatchObject({ hint: expect.stringMatching(/^Set the parsed object/) });
  });
});
