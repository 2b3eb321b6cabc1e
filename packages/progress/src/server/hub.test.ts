import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import fc from 'fast-check';
import type { Snapshot } from '@wcc/progress';
import { maxSnapshotBytes } from '@wcc/progress/protocol';
import { createHub } from './hub.ts';
import type { Hub, HubOptions } from './hub.ts';
import { copyRecord, ended, moved, phase } from './testkit/record.testkit.ts';

const hubs: Hub[] = [];
const errors: unknown[] = [];

function hubAt(clock: { ms: number } | null = null, options: HubOptions = {}): Hub {
  const hub = createHub({
    ...(clock === null ? {} : { now: () => clock.ms }),
    onError: (error, { stage }) => errors.push({ error, stage }),
    ...options,
  });
  hubs.push(hub);
  return hub;
}

const codes = (): unknown[] => errors.map((each) => (each as { error: { code: string } }).error.code);
const doneOf = (snapshot: Snapshot | undefined): unknown => snapshot?.phases[snapshot.phaseIndex];

afterEach(() => {
  for (const hub of hubs.splice(0)) hub.close();
  errors.length = 0;
});

describe('hub versions', () => {
  it('increases seq only at visible changes', () => {
    const clock = { ms: 0 };
    const hub = hubAt(clock);
    const record = copyRecord();
    expect(hub.put(record)).toMatchObject({ seq: 1, epoch: hub.epoch, id: record.id });
    expect(hub.put(record).seq).toBe(1);
    expect(hub.put(moved(record, 10)).seq).toBe(2);
    expect(hub.put({ ...moved(record, 10), elapsedMs: 300 }).seq).toBe(2);
    expect(hub.put({ ...moved(record, 10), state: 'paused' }).seq).toBe(3);
  });

  it('sends a running operation every second if only time changed, but not a paused one', () => {
    const clock = { ms: 0 };
    const hub = hubAt(clock);
    const record = copyRecord();
    hub.put(record);
    clock.ms = 999;
    expect(hub.put({ ...record, elapsedMs: 999 }).seq).toBe(1);
    clock.ms = 1000;
    expect(hub.put({ ...record, elapsedMs: 1000 })).toMatchObject({ seq: 2, sinceProgressMs: 1000 });
    const paused = { ...record, state: 'paused', elapsedMs: 1000 } as const;
    expect(hub.put(paused).seq).toBe(3);
    clock.ms = 60_000;
    expect(hub.put(paused).seq).toBe(3);
  });

  it('measures the rate of an action with the meter options given for it', () => {
    const clock = { ms: 0 };
    const hub = hubAt(clock, { meter: (action) => (action === 'upload' ? { halfLifeMs: 1000 } : {}) });
    const rates = ['copy', 'upload'].map((action) => {
      let record = copyRecord({ action });
      hub.put(record);
      for (const done of [100, 200, 300, 310, 320, 330]) {
        clock.ms += 1000;
        record = moved(record, done);
        hub.put(record);
      }
      return hub.get(record.id)?.rate ?? Number.NaN;
    });
    const [slow = Number.NaN, quick = Number.NaN] = rates;
    expect(quick).toBeLessThan(slow / 2);
  });

  it('gives every hub its own epoch', () => {
    expect(hubAt().epoch).not.toBe(hubAt().epoch);
    expect(hubAt(null, { epoch: 'e7' }).put(copyRecord()).epoch).toBe('e7');
  });

  it('never shows additional fields of a record to watchers', () => {
    const hub = hubAt();
    const record = {
      ...copyRecord(),
      passwordHash: 'x',
      subject: { kind: 'image', id: 1, name: 'n', path: '/p' },
    };
    const text = JSON.stringify(hub.put(record)) + String(hub.bytes(record.id));
    expect(text).not.toMatch(/passwordHash|path/);
  });
});

describe('hub numbers', () => {
  it('never decreases done within a phase and reports a decrease once', () => {
    const hub = hubAt();
    const record = copyRecord();
    hub.put(moved(record, 500));
    expect(doneOf(hub.put(moved(record, 400)))).toMatchObject({ done: 500 });
    expect(doneOf(hub.put(moved(record, 450)))).toMatchObject({ done: 500 });
    expect(codes()).toEqual(['done_decreased']);
    expect(doneOf(hub.put(moved(record, 600)))).toMatchObject({ done: 600 });
    hub.put(moved(record, 10));
    expect(codes()).toEqual(['done_decreased', 'done_decreased']);
  });

  it('starts every phase at its own numbers', () => {
    const hub = hubAt();
    const record = copyRecord();
    hub.put(moved(record, 900));
    expect(doneOf(hub.put({ ...moved(record, 900), phaseIndex: 2 }))).toMatchObject({
      name: 'flush',
      done: 0,
    });
    expect(errors).toEqual([]);
  });

  it('corrects invalid numbers and reports them', () => {
    const hub = hubAt();
    const broken = copyRecord({ phases: [phase('copy', { done: Number.NaN, total: 10 })], phaseIndex: 0 });
    expect(doneOf(hub.put(broken))).toMatchObject({ done: 0, total: 10 });
    const beyond = copyRecord({ phases: [phase('copy', { done: 20, total: 10 })], phaseIndex: 0 });
    expect(doneOf(hub.put(beyond))).toMatchObject({ done: 10, total: 10 });
    expect(codes()).toEqual(['invalid_record', 'invalid_record']);
  });

  it('replaces numbers that JSON cannot represent', () => {
    const hub = hubAt();
    const broken = { elapsedMs: Number.NaN, rate: Number.POSITIVE_INFINITY, etaMs: Number.NaN };
    expect(hub.put(copyRecord(broken))).toMatchObject({ elapsedMs: 0, rate: null, etaMs: null });
  });

  it('keeps numbers valid and done monotonic for any sequence of records', () => {
    const step = fc.record({
      done: fc.oneof(fc.integer({ min: -5, max: 1200 }), fc.double()),
      phaseIndex: fc.nat(3),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const hub = hubAt();
        const record = copyRecord();
        const highest = new Map<number, number>();
        let seq = 0;
        for (const { done, phaseIndex } of steps) {
          const snapshot = hub.put(moved({ ...record, phaseIndex }, done));
          const shown = (doneOf(snapshot) as { done: number }).done;
          expect(shown).toBeGreaterThanOrEqual(highest.get(phaseIndex) ?? 0);
          expect(snapshot.seq).toBeGreaterThanOrEqual(seq);
          highest.set(phaseIndex, shown);
          seq = snapshot.seq;
        }
        hub.close();
      }),
      { numRuns: 60 },
    );
  });

  it('measures rate, ETA and stalls of pulled records', () => {
    const clock = { ms: 0 };
    const hub = hubAt(clock);
    const record = copyRecord({ phases: [phase('copy', { total: 100_000 })], phaseIndex: 0 });
    let done = 0;
    hub.pull(record.id, () => moved(record, done, clock.ms));
    for (; clock.ms < 20_000; clock.ms += 100) {
      done = clock.ms;
      hub.flush();
    }
    expect(hub.get(record.id)).toMatchObject({ rate: 1000, stalled: false, etaAbsence: null });
    expect(hub.get(record.id)?.etaMs).toBeGreaterThan(79_000);
    expect(hub.get(record.id)?.etaMs).toBeLessThan(82_000);
    const { seq } = hub.get(record.id) as Snapshot;
    for (; clock.ms < 35_000; clock.ms += 100) hub.flush();
    expect(hub.get(record.id)).toMatchObject({ rate: 0, stalled: true, etaMs: null, etaAbsence: 'stalled' });
    // The hub publishes once a second, and once when the stall begins.
    expect((hub.get(record.id)?.seq ?? 0) - seq).toBeLessThanOrEqual(17);
    hub.put({ ...record, phases: [phase('verify', { unit: null, total: null })] });
    expect(hub.get(record.id)).toMatchObject({ rate: null, etaAbsence: 'no_units', stalled: false });
  });
});

describe('hub ends', () => {
  it('keeps the first end of an operation, whatever is put later', () => {
    const hub = hubAt();
    const record = copyRecord();
    hub.put(record);
    const end = hub.put(ended(record));
    expect(hub.put(record)).toEqual(end);
    expect(hub.put({ ...ended(record), state: 'failed' })).toEqual(end);
    expect(codes()).toEqual(['terminal_replaced', 'terminal_replaced']);
    expect(hub.put({ ...ended(record), result: { kind: 'image', id: 101 } }).result).toEqual({
      kind: 'image',
      id: 101,
    });
  });

  it('stops pulling at the end of an operation and accepts a late read', () => {
    const hub = hubAt();
    const record = copyRecord();
    let reads = 0;
    hub.pull(record.id, () => {
      reads += 1;
      if (reads === 1) hub.put(ended(record));
      return moved(record, 5);
    });
    hub.flush();
    hub.flush();
    expect(hub.get(record.id)?.state).toBe('succeeded');
    expect(reads).toBe(1);
    expect(errors).toEqual([]);
  });

  it('keeps ended operations for more than ten minutes, then announces their removal', () => {
    const clock = { ms: 0 };
    const hub = hubAt(clock);
    const retired: string[] = [];
    hub.onRetire((ids) => retired.push(...ids));
    const record = ended(copyRecord());
    hub.put(record);
    clock.ms = 10 * 60_000 + 1000;
    hub.retire();
    expect(hub.get(record.id)?.state).toBe('succeeded');
    clock.ms = 12 * 60_000;
    hub.retire();
    expect(hub.get(record.id)).toBeUndefined();
    expect(retired).toEqual([record.id]);
  });
});

describe('hub ticks', () => {
  it('announces changes once per tick, whatever their number', async () => {
    const hub = hubAt(null, { tickMs: 20 });
    const record = copyRecord();
    const announced: string[][] = [];
    hub.onChange((ids) => announced.push([...ids]));
    for (let done = 0; done <= 1000; done += 1) hub.put(moved(record, done));
    expect(announced).toEqual([]);
    await vi.waitFor(() => expect(announced).not.toEqual([]), { timeout: 10_000 });
    await sleep(60);
    expect(announced).toEqual([[record.id]]);
    expect(doneOf(JSON.parse(String(hub.bytes(record.id))) as Snapshot)).toMatchObject({ done: 1000 });
    expect(hub.bytes(record.id)).toBe(hub.bytes(record.id));
  });

  it('pulls at each tick until stopped', async () => {
    const hub = hubAt(null, { tickMs: 10 });
    const record = copyRecord();
    let reads = 0;
    const stop = hub.pull(record.id, () => moved(record, (reads += 1)));
    await vi.waitFor(() => expect(reads).toBeGreaterThan(2), { timeout: 10_000 });
    stop();
    const before = reads;
    await sleep(50);
    expect(reads).toBe(before);
  });

  it('ticks less often when the event loop is busy, and recovers', async () => {
    const hub = hubAt(null, { tickMs: 20 });
    const record = copyRecord();
    let blockMs = 60;
    hub.pull(record.id, () => {
      const endMs = performance.now() + blockMs;
      while (performance.now() < endMs);
      return record;
    });
    await vi.waitFor(() => expect(hub.tickMs).toBeGreaterThan(200), { timeout: 10_000 });
    blockMs = 0;
    await vi.waitFor(() => expect(hub.tickMs).toBeLessThan(150), { timeout: 15_000 });
  });

  it('reports an error of a listener or a read once and continues', () => {
    const hub = hubAt();
    const record = copyRecord();
    const announced: string[] = [];
    hub.onChange(() => {
      throw new Error('listener');
    });
    hub.onChange((ids) => announced.push(...ids));
    hub.pull('x', () => {
      throw new Error('read');
    });
    hub.put(record);
    hub.flush();
    hub.flush();
    expect(announced).toEqual([record.id]);
    expect(errors).toMatchObject([{ stage: 'pull' }, { stage: 'change' }]);
  });

  it('removes gone operations and refuses records after close', () => {
    const hub = hubAt();
    const record = copyRecord();
    const gone: unknown[] = [];
    hub.onRemove((id, why) => gone.push([id, why]));
    hub.put(record);
    hub.remove(record.id, 'deleted');
    expect(gone).toEqual([[record.id, 'deleted']]);
    expect(hub.get(record.id)).toBeUndefined();
    hub.close();
    expect(() => hub.put(record)).toThrow(expect.objectContaining({ code: 'hub_closed' }));
  });
});

describe('hub snapshots within 2 KiB', () => {
  const wire = (hub: Hub, id: string): Snapshot => JSON.parse(String(hub.bytes(id))) as Snapshot;

  it('reduces all phases except the current one to their names', () => {
    const hub = hubAt();
    const { id } = hub.put(copyRecord());
    expect(wire(hub, id).phases).toEqual([
      { name: 'reserve', state: 'done', elapsedMs: 12 },
      phase('copy', { state: 'running' }),
      { name: 'flush', state: 'pending' },
      { name: 'publish', state: 'pending' },
    ]);
  });

  it('cuts long texts at whole characters and keeps ids, codes and the full text in get', () => {
    const hub = hubAt();
    const name = '🦀'.repeat(600);
    const record = copyRecord({
      state: 'failed',
      endedAt: '2026-01-01T14:05:00.000Z',
      subject: { kind: 'image', id: 100, name },
      target: { kind: 'image', id: 101, name: '\u0001\n"'.repeat(200) },
      warnings: Array.from({ length: 9 }, () => 'w'.repeat(500)),
      stateReason: { code: 'no_space', params: { path: 'p'.repeat(400), needsBytes: 5 } },
      error: { code: 'no_space', message: 'm'.repeat(900), hint: 'h'.repeat(900), detail: 'd'.repeat(5000) },
    });
    const { id } = hub.put(record);
    const snapshot = wire(hub, id);
    expect(hub.bytes(id)?.length).toBeLessThanOrEqual(maxSnapshotBytes);
    expect(snapshot.subject.name).toMatch(/^(🦀)+…$/u);
    expect(snapshot).toMatchObject({ id, action: 'copy_vm_image', owner: 'u1', error: { code: 'no_space' } });
    expect(snapshot.stateReason).toMatchObject({ code: 'no_space', params: { needsBytes: 5 } });
    expect(hub.get(id)?.subject.name).toBe(name);
  });

  it('keeps any texts within the limit and valid JSON', () => {
    const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 400 }), fc.string({ maxLength: 3000 }));
    fc.assert(
      fc.property(
        fc.tuple(text, text, text),
        fc.array(text, { maxLength: 12 }),
        ([name, target, message], warnings) => {
          const hub = hubAt();
          const { id } = hub.put(
            copyRecord({
              state: 'failed',
              endedAt: '2026-01-01T14:05:00.000Z',
              label: name,
              title: message,
              host: target,
              subject: { kind: 'image', id: 1, name },
              target: { kind: 'image', id: 2, name: target },
              ownerName: target,
              warnings,
              error: { code: 'x', message, hint: message, detail: name },
            }),
          );
          expect(hub.bytes(id)?.length).toBeLessThanOrEqual(maxSnapshotBytes);
          expect(wire(hub, id).id).toBe(id);
          hub.close();
        },
      ),
      { numRuns: 60 },
    );
  });

  it('shows the phases near the current one, and the end, if not all phases fit', () => {
    const hub = hubAt();
    const op = hub.start({ action: 'pack', owner: 'ann', unit: 'bytes' });
    for (let file = 0; file < 100; file += 1) op.phase(`file_${file}`, 10);
    op.add(4);
    hub.flush();
    const running = wire(hub, op.id);
    expect(running.phases[running.phaseIndex]).toMatchObject({ name: 'file_99', done: 4, total: 10 });
    expect(running.phases.length).toBeGreaterThan(4);
    expect(hub.get(op.id)?.phases).toHaveLength(100);
    op.succeed();
    expect(wire(hub, op.id)).toMatchObject({ state: 'succeeded' });
    const queued = copyRecord({
      state: 'queued',
      startedAt: null,
      phaseIndex: -1,
      phases: Array.from({ length: 100 }, (_, at) => ({ name: `part_${at}`, state: 'pending' })),
    });
    hub.put(queued);
    const waiting = wire(hub, queued.id);
    expect([waiting.phaseIndex, waiting.phases[0]?.name]).toEqual([-1, 'part_0']);
    expect(codes()).toEqual([]);
  });

  it('shows a key that is a BigInt as text', () => {
    const hub = hubAt();
    const op = hub.start({ action: 'insert', owner: 'ann' });
    op.succeed({ kind: 'row', id: (2n ** 60n) as unknown as string });
    expect(wire(hub, op.id)).toMatchObject({ state: 'succeeded', result: { id: String(2n ** 60n) } });
    expect(codes()).toEqual([]);
  });

  it('reports a snapshot that cannot fit', () => {
    const hub = hubAt();
    const { id } = hub.put(copyRecord({ owner: 'o'.repeat(3000) }));
    expect(hub.bytes(id)).toBeUndefined();
    expect(codes()).toEqual(['snapshot_too_large']);
  });
});
