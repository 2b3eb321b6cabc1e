import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import fc from 'fast-check';
import type { Snapshot } from '@wcc/progress';
import { isTerminal } from '@wcc/progress';
import { maxSnapshotBytes, operationStates } from '@wcc/progress/protocol';
import { createHub } from '../hub.ts';
import type { Hub } from '../hub.ts';
import type { OperationRecord } from './record.ts';

let hub: Hub;
let errors: { code?: string; message?: string }[];
let clock: { ms: number };

beforeEach(() => {
  errors = [];
  clock = { ms: 0 };
  hub = createHub({ now: () => clock.ms, onError: (error) => errors.push(error as Error) });
});
afterEach(() => hub.close());

const minimal = { id: 'job-1', action: 'build_report', owner: 'u1', state: 'running' } as const;
const failure = { code: 'x', message: 'Broken.', hint: '', detail: null };
const reports = (): string[] =>
  errors.map(({ code, message }) => `${code}: ${message?.replace(/^.*\((.*)\)$/, '$1')}`);

describe('a record with id, action, owner and state alone', () => {
  it('becomes a complete snapshot', () => {
    const snapshot = hub.put(minimal);
    expect(snapshot).toEqual({
      ...minimal,
      epoch: hub.epoch,
      seq: 1,
      at: snapshot.at,
      label: 'build_report',
      title: null,
      subject: { kind: '', id: null, name: '' },
      target: null,
      ownerName: 'u1',
      host: null,
      queuePosition: null,
      stateReason: null,
      phases: [],
      phaseIndex: -1,
      rate: null,
      etaMs: null,
      etaAbsence: 'no_units',
      sinceProgressMs: 0,
      stalled: false,
      bytes: null,
      method: null,
      elapsedMs: 0,
      warnings: [],
      createdAt: snapshot.createdAt,
      startedAt: snapshot.startedAt,
      endedAt: null,
      error: null,
      result: null,
      retryOf: null,
      partOf: null,
    });
    expect(Date.parse(snapshot.startedAt ?? '')).toBeGreaterThan(0);
    expect(errors).toEqual([]);
  });

  it('has the label of its action and subject', () => {
    const subject = { kind: 'report', id: 42, name: 'June' };
    expect(hub.put({ ...minimal, subject }).label).toBe('build_report_42');
    expect(hub.put({ ...minimal, id: 'b', subject: { ...subject, id: null } }).label).toBe(
      'build_report_June',
    );
    expect(hub.put({ ...minimal, id: 'c', subject, label: 'mine' }).label).toBe('mine');
  });

  it('keeps the times that the hub saw first, and measures how long it ran', () => {
    const queued = hub.put({ ...minimal, state: 'queued' });
    expect(queued.startedAt).toBeNull();
    clock.ms = 5000;
    const running = hub.put(minimal);
    clock.ms = 8000;
    const end = hub.put({ ...minimal, state: 'succeeded' });
    expect(end).toMatchObject({
      createdAt: queued.createdAt,
      startedAt: running.startedAt,
      elapsedMs: 3000,
    });
    expect(Date.parse(end.endedAt ?? '')).toBeGreaterThan(0);
    expect(hub.put({ ...minimal, state: 'succeeded' })).toEqual(end);
    expect(errors).toEqual([]);
  });

  it('has the title, host and method that its host gives it', () => {
    const given = { title: 'Report of June', host: 'node-7', method: 'incremental' };
    expect(hub.put({ ...minimal, ...given })).toMatchObject(given);
    const text = String(hub.bytes(minimal.id, 'public'));
    expect(text).toContain('Report of June');
    expect(text).not.toContain('node-7');
  });
});

describe('phases of a record', () => {
  it('have defaults for all but the name', () => {
    const phases = [{ name: 'read' }, { name: 'render', done: 18, total: 20 }, { name: 'send' }];
    expect(hub.put({ ...minimal, phases, phaseIndex: 1 }).phases).toEqual([
      { name: 'read', state: 'done' },
      { name: 'render', unit: 'steps', done: 18, durable: 18, total: 20, state: 'running', elapsedMs: 0 },
      { name: 'send', state: 'pending' },
    ]);
    const bare = hub.put({ ...minimal, id: 'b', phases: [{ name: 'wait' }] });
    expect(bare).toMatchObject({ phaseIndex: 0, phases: [{ name: 'wait' }], etaAbsence: 'no_units' });
    expect(errors).toEqual([]);
  });

  it.each([
    ['queued', -1, 'pending'],
    ['running', 0, 'running'],
    ['failed', 1, 'failed'],
    ['cancelled', 1, 'skipped'],
    ['succeeded', 1, 'done'],
  ] as const)('of a %s operation have index %i and the state %s', (state, phaseIndex, phaseState) => {
    const phases = [{ name: 'read' }, { name: 'send' }];
    const snapshot = hub.put({
      ...minimal,
      state,
      phases,
      ...(state === 'failed' ? { error: failure } : {}),
    });
    expect(snapshot.phaseIndex).toBe(phaseIndex);
    expect(snapshot.phases[Math.max(0, phaseIndex)]?.state).toBe(phaseState);
    expect(errors).toEqual([]);
  });
});

describe('a record that contradicts itself', () => {
  const startedAt = '2026-01-01T00:00:00.000Z';
  const phases = [{ name: 'work', done: 18, total: 20 }];

  it.each<[string, { changes: Partial<OperationRecord>; detail: string; shown?: Partial<Snapshot> }]>([
    [
      'queued with progress',
      { changes: { state: 'queued', phases }, detail: 'queued: 18 of 20 done in the phase work' },
    ],
    [
      'queued but started',
      {
        changes: { state: 'queued', startedAt },
        detail: `queued, but started at ${startedAt}`,
        shown: { startedAt: null },
      },
    ],
    [
      'running but ended',
      {
        changes: { endedAt: startedAt },
        detail: `running, but ended at ${startedAt}`,
        shown: { endedAt: null },
      },
    ],
    [
      'running in the queue',
      {
        changes: { queuePosition: 3 },
        detail: 'running, but at 3 in the queue',
        shown: { queuePosition: null },
      },
    ],
    ['failed without error', { changes: { state: 'failed' }, detail: 'failed, but without an error' }],
    [
      'succeeded with an error',
      {
        changes: { state: 'succeeded', error: failure },
        detail: 'succeeded, but with the error x',
        shown: { error: null },
      },
    ],
  ])('%s is reported once and corrected', (_what, { changes, detail, shown = {} }) => {
    expect(hub.put({ ...minimal, ...changes })).toMatchObject(shown);
    hub.put({ ...minimal, ...changes });
    expect(reports()).toEqual([`contradictory_record: job-1: ${detail}`]);
  });

  it('ended with endedAt null is reported and ends now', () => {
    const { endedAt } = hub.put({ ...minimal, state: 'succeeded', endedAt: null });
    expect(Date.parse(endedAt ?? '')).toBeGreaterThan(0);
    expect(reports()).toEqual(['contradictory_record: job-1: succeeded, but endedAt is null']);
  });

  it('is reported again when the contradiction comes back', () => {
    const queued = { ...minimal, state: 'queued', phases } as const;
    hub.put(queued);
    hub.put({ ...minimal, state: 'queued' });
    hub.put(queued);
    expect(reports()).toHaveLength(2);
  });

  it.each<[string, Partial<OperationRecord>, Partial<Snapshot>]>([
    ['phaseIndex: 4 with 1 phases', { phases, phaseIndex: 4 }, { phaseIndex: 0 }],
    ['queuePosition: NaN', { state: 'queued', queuePosition: Number.NaN }, { queuePosition: null }],
    [
      'bytes.data: -1',
      { bytes: { virtual: 1, data: -1, skipped: 0, shared: 0, written: 0 } },
      { bytes: null },
    ],
  ])('with a number that cannot be (%s) is reported and corrected', (detail, changes, shown) => {
    expect(hub.put({ ...minimal, ...changes })).toMatchObject(shown);
    expect(reports()).toEqual([`invalid_record: job-1: ${detail}`]);
  });

  it.each<[string, object]>([
    ['id', { id: '' }],
    ['id', { id: 7 }],
    ['id', { id: 'x'.repeat(65) }],
    ['action', { action: undefined }],
    ['owner', { owner: null }],
    ['state', { state: 'done' }],
  ])('without a usable %s throws invalid_record and stores nothing', (_field, changes) => {
    const record = { ...minimal, ...changes } as OperationRecord;
    expect(() => hub.put(record)).toThrow(expect.objectContaining({ code: 'invalid_record' }));
    expect([...hub.list()]).toEqual([]);
  });

  it('without a usable state is reported by pull, and the last snapshot stays', () => {
    hub.put(minimal);
    hub.pull(minimal.id, () => ({ ...minimal, state: 'done' }) as unknown as OperationRecord);
    hub.flush();
    hub.flush();
    expect(hub.get(minimal.id)?.state).toBe('running');
    expect(errors).toMatchObject([{ code: 'invalid_record' }]);
  });
});

describe('any record with the mandatory fields', () => {
  const number = fc.oneof(
    fc.nat(100),
    fc.double(),
    fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, -5, '3', null, undefined),
  );
  const phase = fc.record({ name: fc.constantFrom('a', 'b'), done: number, durable: number, total: number });
  const changes = fc.record(
    {
      state: fc.constantFrom(...operationStates),
      phases: fc.array(phase, { maxLength: 4 }),
      phaseIndex: number,
      queuePosition: number,
      elapsedMs: number,
      rate: number,
      etaMs: number,
      sinceProgressMs: number,
      endedAt: fc.constantFrom(null, '2026-01-01T00:00:00.000Z'),
      error: fc.constantFrom(null, failure),
      bytes: fc.record({ virtual: number, data: number, skipped: number, shared: number, written: number }),
      stateReason: fc.record({ code: fc.constant('r'), params: fc.dictionary(fc.constant('n'), number) }),
    },
    { requiredKeys: ['state'] },
  );

  it('becomes a snapshot that is equal on the wire and agrees with its own state', () => {
    let count = 0;
    fc.assert(
      fc.property(fc.array(changes, { minLength: 1, maxLength: 4 }), (records) => {
        const id = `any-${(count += 1)}`;
        for (const record of records) {
          clock.ms += 100;
          hub.put({ ...minimal, id, ...(record as Partial<OperationRecord>) });
          const snapshot = hub.get(id)!;
          expect(JSON.parse(JSON.stringify(snapshot))).toEqual(withoutNegativeZero(snapshot));
          expect(hub.bytes(id)?.length).toBeLessThanOrEqual(maxSnapshotBytes);
          expectAgreement(snapshot);
        }
      }),
      { numRuns: 300 },
    );
  });

  /** JSON writes -0 as 0; adding 0 does the same. NaN and Infinity stay, which JSON would write as null. */
  function withoutNegativeZero(value: unknown): unknown {
    if (typeof value === 'number') return value + 0;
    if (Array.isArray(value)) return value.map(withoutNegativeZero);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withoutNegativeZero(each)]));
  }

  function expectAgreement(snapshot: Snapshot): void {
    const { state, phases, phaseIndex, queuePosition } = snapshot;
    expect(snapshot.endedAt === null).toBe(!isTerminal(state));
    expect(snapshot.error === null).toBe(state !== 'failed');
    expect(state === 'queued' || queuePosition === null).toBe(true);
    expect(Number.isInteger(phaseIndex) && phaseIndex >= -1 && phaseIndex < phases.length).toBe(true);
    for (const ms of [snapshot.elapsedMs, snapshot.sinceProgressMs])
      expect(Number.isInteger(ms) && ms >= 0).toBe(true);
    const current = phases[phaseIndex];
    if (current === undefined || !('done' in current)) return;
    const { done, durable, total } = current;
    for (const amount of [done, durable]) expect(Number.isFinite(amount) && amount >= 0).toBe(true);
    expect(durable).toBeLessThanOrEqual(done);
    if (total !== null) expect(done).toBeLessThanOrEqual(total);
  }
});
