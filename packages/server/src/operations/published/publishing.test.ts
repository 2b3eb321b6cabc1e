import type { PublishOperationInput } from '@wcc/api';
import type { OperationState, Phase, Snapshot } from '@wcc/progress';
import { createHub } from '@wcc/progress/server';
import type { Hub } from '@wcc/progress/server';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Principal } from '../../access/principal.ts';
import { createTestRetention } from '../../storage/retention-clock.testkit.ts';
import type { TestRetention } from '../../storage/retention-clock.testkit.ts';
import { openStore } from '../../storage/store.ts';
import type { Store } from '../../storage/store.ts';
import type { Clock } from '../../concurrency/clock.ts';
import { createOperations } from '../operations.ts';
import type { Operations } from '../operations.ts';
import { lostAfterMs } from './lease.ts';

/** The engine with a real store and a real hub, without HTTP. */
interface Engine {
  store: Store;
  hub: Hub;
  operations: Operations;
  /** Batches written so far. */
  writes: number;
  states: string[];
  stop(): Promise<void>;
}

let home: string;
let engine: Engine;
let errors: unknown[];
/** Moved, so that no test waits for a day. */
let retention: TestRetention;
/** Added to the wall clock. */
let aheadMs = 0;

const clock: Clock = {
  isoNow: () => new Date(Date.now() + aheadMs).toISOString(),
  monotonicMs: () => performance.now(),
};

async function startEngine(): Promise<Engine> {
  const onError = (error: unknown): void => void errors.push(error);
  const store = await openStore(join(home, 'wcc.sqlite'), { onError });
  const hub = createHub({ onError });
  const started: Partial<Engine> & { writes: number; states: string[] } = { writes: 0, states: [] };
  const counted: Store = {
    db: store.db,
    status: () => store.status(),
    ping: () => store.ping(),
    close: () => store.close(),
    write(batch) {
      started.writes += 1;
      return store.write(batch);
    },
  };
  const operations = createOperations({
    store: counted,
    hub,
    onError,
    clock,
    retention,
    onState: ({ id, state }) => started.states.push(`${id} ${state}`),
    isPoolReady: () => true,
  });
  await operations.adopt();
  return Object.assign(started, {
    store,
    hub,
    operations,
    async stop() {
      await operations.stop();
      hub.close();
      await store.close();
    },
  });
}

beforeEach(async () => {
  aheadMs = 0;
  retention = createTestRetention();
  errors = [];
  home = await mkdtemp(join(tmpdir(), 'wcc-publishing-'));
  engine = await startEngine();
});

afterEach(async () => {
  await engine.stop();
  await rm(home, { recursive: true });
  // A failure in the background fails its test.
  if (errors.length > 0) throw new AggregateError(errors, 'failures in the background');
});

function principal(name: string, changes: Partial<Principal> = {}): Principal {
  const identity = { userId: `id-of-${name}`, userName: name, sessionKey: `token-of-${name}` };
  const rest = { sessionVersion: 1, expiresAtMs: null, address: '127.0.0.1', tokenName: 'nightly' };
  return {
    kind: 'token',
    role: 'operator',
    scope: 'publish',
    limitedTo: null,
    lentBy: null,
    ...identity,
    ...rest,
    ...changes,
  };
}

const alice = principal('alice');
const person = principal('alice', { kind: 'session', scope: 'write', tokenName: null });

function order(changes: Partial<PublishOperationInput> = {}): PublishOperationInput {
  const subject = { kind: 'database', id: 7, name: 'orders' };
  const rest = { phase: 'dump', total: 100, unit: 'steps', leaseS: 3600 } as const;
  return { action: 'backup_database', subject, target: null, ...rest, ...changes };
}

function publish(changes: Partial<PublishOperationInput> = {}, key: string | null = null): Promise<Snapshot> {
  return engine.operations.publishing.publish(alice, { body: order(changes), idempotencyKey: key });
}

function report(id: string, body: Parameters<Operations['publishing']['report']>[2] = {}): Promise<Snapshot> {
  return engine.operations.publishing.report(alice, id, body);
}

function end(id: string, state: 'succeeded' | 'failed' | 'cancelled'): Promise<Snapshot> {
  const error = { code: 'disk_broken', message: 'The disk is broken.', hint: '', detail: null };
  const wanted = { state, result: null, ...(state === 'failed' ? { error } : {}) };
  return engine.operations.publishing.end(alice, id, wanted);
}

function phaseOf({ phases, phaseIndex }: Snapshot): Phase {
  return phases[phaseIndex] as Phase;
}

async function waitFor(id: string, state: OperationState): Promise<Snapshot> {
  const deadline = performance.now() + 20_000;
  for (;;) {
    const snapshot = await engine.operations.snapshot(id);
    if (snapshot?.state === state) return snapshot;
    if (performance.now() > deadline) throw new Error(`${id} is ${snapshot?.state}, not ${state}`);
    await sleep(20);
  }
}

async function stored(id: string): Promise<Snapshot> {
  const query = engine.store.db.selectFrom('operations').select('record').where('id', '=', id);
  return JSON.parse((await query.executeTakeFirstOrThrow()).record) as Snapshot;
}

describe('publishing', () => {
  it('a published operation is durable and running, with label, owner and phase, before the answer', async () => {
    const made = await publish();
    expect(made).toMatchObject({
      state: 'running',
      label: 'backup_database_7',
      owner: alice.userId,
      ownerName: 'alice',
      phases: [{ name: 'dump', unit: 'steps', done: 0, total: 100, state: 'running' }],
      phaseIndex: 0,
      startedAt: made.createdAt,
    });
    expect(await stored(made.id)).toMatchObject({ id: made.id, state: 'running' });
    expect(await engine.operations.log(made.id, person)).toMatchObject([{ kind: 'state', text: 'running' }]);
  });

  it('publishing twice with one Idempotency-Key returns one operation', async () => {
    const [first, second] = await Promise.all([publish({}, 'night-1'), publish({}, 'night-1')]);
    expect(second?.id).toBe(first?.id);
    await expect(publish({ total: 5 }, 'night-1')).rejects.toMatchObject({ code: 'idempotency_conflict' });
  });

  it.each(['copy_vm_image', 'make_sample_image', 'upload_image'])('refuses the name %s', async (action) => {
    await expect(publish({ action })).rejects.toMatchObject({ code: 'invalid_input', field: 'action' });
  });

  it('publishing requires the right; another user can neither see nor report the operation', async () => {
    const { publishing } = engine.operations;
    const { id } = await publish();
    for (const who of [principal('viewer', { role: 'viewer' }), principal('reader', { scope: 'read' })]) {
      const attempt = publishing.publish(who, { body: order(), idempotencyKey: null });
      await expect(attempt).rejects.toMatchObject({ code: 'forbidden' });
    }
    for (const unknown of [id, 'nonsense', 'a'.repeat(26)]) {
      const attempt = publishing.report(principal('bob'), unknown, {});
      await expect(attempt).rejects.toMatchObject({ code: 'not_found' });
    }
  });

  it('publishing is refused above the limit of unfinished operations of a user', async () => {
    const first = await publish();
    for (let count = 1; count < 1000; count += 1) await publish();
    await expect(publish()).rejects.toMatchObject({ code: 'invalid_state' });
    await end(first.id, 'succeeded');
    await publish();
  }, 60_000);
});

describe('reports', () => {
  it('reports of absolute and relative numbers need no write, and never lower the progress', async () => {
    const { id } = await publish();
    const before = engine.writes;
    expect(phaseOf(await report(id, { done: 10 })).done).toBe(10);
    expect(phaseOf(await report(id, { add: 5 })).done).toBe(15);
    expect(phaseOf(await report(id, { done: 12 })).done).toBe(15);
    expect(phaseOf(await report(id)).done).toBe(15);
    expect(engine.writes).toBe(before);
    expect(phaseOf(engine.hub.get(id)!).done).toBe(15);
  });

  it('reported units stop at the total, and the rest shows when the total grows', async () => {
    const { id } = await publish();
    expect(phaseOf(await report(id, { add: 130 }))).toMatchObject({ done: 100, total: 100 });
    expect(phaseOf(await report(id, { total: 200 }))).toMatchObject({ done: 130, total: 200 });
    await expect(report(id, { total: 50 })).rejects.toMatchObject({ code: 'invalid_input', field: 'total' });
    await expect(report(id, { unit: 'bytes' })).rejects.toMatchObject({ field: 'unit' });
    expect(phaseOf(await report(id, { total: null }))).toMatchObject({ done: 130, total: null });
  });

  it('a reported phase is durable with its numbers, and an ended phase cannot start again', async () => {
    const { id } = await publish();
    await report(id, { done: 40 });
    const next = await report(id, { phase: 'upload', total: 2048, unit: 'bytes', done: 512 });
    expect(next.phases).toMatchObject([{ name: 'dump', state: 'done' }, { name: 'upload' }]);
    expect(phaseOf(next)).toMatchObject({ unit: 'bytes', done: 512, durable: 512, total: 2048 });
    expect(phaseOf(await stored(id))).toMatchObject({ name: 'upload', done: 512 });
    await expect(report(id, { phase: 'dump' })).rejects.toMatchObject({ code: 'invalid_state' });
    for (let count = 2; count < 12; count += 1) await report(id, { phase: `phase_${count}` });
    await expect(report(id, { phase: 'one_more' })).rejects.toMatchObject({ field: 'phase' });
  });

  it('each reported phase has its own time', async () => {
    const { id } = await publish();
    const firstMs = async (): Promise<number> => phaseOf(await report(id)).elapsedMs;
    const deadline = performance.now() + 20_000;
    while ((await firstMs()) < 500 && performance.now() < deadline) await sleep(20);
    const next = await report(id, { phase: 'upload' });
    expect(next.phases[0]!.elapsedMs).toBeGreaterThanOrEqual(500);
    // The phase starts when it is durable, right before the answer.
    expect(phaseOf(next).elapsedMs).toBeLessThan(next.phases[0]!.elapsedMs!);
  });

  it('concurrent reports lose no unit', async () => {
    const { id } = await publish({ total: null });
    await Promise.all(Array.from({ length: 500 }, () => report(id, { add: 1 })));
    expect(phaseOf(await report(id)).done).toBe(500);
  });
});

describe('the end', () => {
  it.each(['succeeded', 'failed', 'cancelled'] as const)('the end %s happens once', async (state) => {
    const { id } = await publish();
    await report(id, { done: 60 });
    const [ended] = await Promise.all([end(id, state), end(id, state)]);
    expect(ended).toMatchObject({ state, error: state === 'failed' ? { code: 'disk_broken' } : null });
    expect(await end(id, state)).toMatchObject({ state, seq: ended.seq });
    const other = state === 'succeeded' ? 'cancelled' : 'succeeded';
    await expect(end(id, other)).rejects.toMatchObject({ code: 'invalid_state' });
    await expect(report(id, { done: 70 })).rejects.toMatchObject({ code: 'invalid_state' });
    expect(engine.states).toEqual([`${id} running`, `${id} ${state}`]);
    const audit = await engine.store.db.selectFrom('audit').select(['who', 'what', 'result']).execute();
    expect(audit).toEqual([
      { who: 'alice (token nightly)', what: 'operation.publish', result: 'ok' },
      {
        who: 'alice (token nightly)',
        what: 'operation.end',
        result: state === 'succeeded' ? 'ok' : state,
      },
    ]);
  });

  it('a published operation offers neither pause nor resume nor retry', async () => {
    const { id } = await publish();
    const may = engine.operations.may(await report(id), person);
    expect(may).toMatchObject({ cancel: true, pause: false, resume: false, retry: false });
    await expect(engine.operations.pause(id, person)).rejects.toMatchObject({ code: 'invalid_state' });
    await expect(engine.operations.resume(id, person)).rejects.toMatchObject({ code: 'invalid_state' });
    const ended = await end(id, 'failed');
    expect(engine.operations.may(ended, person)).toMatchObject({ retry: false });
    const retried = engine.operations.retry(id, person, null);
    await expect(retried).rejects.toMatchObject({ code: 'invalid_state' });
  });
});

describe('operations of other people', () => {
  it("SM12: a publish token of an administrator neither reads, reports nor ends another user's", async () => {
    const { id } = await publish();
    for (const scope of ['publish', 'write'] as const) {
      const chief = principal('chief', { role: 'admin', scope });
      const failed = { state: 'failed', result: null } as const;
      await expect(engine.operations.publishing.report(chief, id, {})).rejects.toMatchObject({
        code: 'not_found',
      });
      await expect(engine.operations.publishing.end(chief, id, failed)).rejects.toMatchObject({
        code: 'not_found',
      });
    }
    expect(await report(id, { done: 1 })).toMatchObject({ state: 'running' });
  });

  it('SL3: a viewer who was an operator does not list operations that they may not open', async () => {
    const { id } = await publish();
    const listed = async (who: Principal): Promise<string[]> =>
      (await engine.operations.list({ limit: 10 }, who)).items.map((item) => item.id);
    const viewer: Principal = { ...person, role: 'viewer' };
    expect(await listed(person)).toEqual([id]);
    expect(await listed(viewer)).toEqual([]);
    await expect(engine.operations.get(id, viewer)).rejects.toMatchObject({ code: 'not_found' });
    expect(await listed(principal('bob', { scope: 'write' }))).toEqual([]);
    expect(await listed(principal('chief', { scope: 'write', role: 'admin' }))).toEqual([id]);
    await engine.operations.cancel(id, person);
  });
});

describe('cancelling', () => {
  it('a cancel reaches the program in the answer to its next report, and the program ends it', async () => {
    const { id } = await publish();
    expect((await engine.operations.cancel(id, person)).state).toBe('cancelling');
    expect((await engine.operations.cancel(id, person)).state).toBe('cancelling');
    expect(await report(id, { done: 30 })).toMatchObject({ state: 'cancelling' });
    expect(await end(id, 'cancelled')).toMatchObject({ state: 'cancelled', warnings: [] });
    expect((await engine.operations.cancel(id, person)).state).toBe('cancelled');
  });

  it('a cancel that arrives too late becomes a warning', async () => {
    const { id } = await publish();
    await engine.operations.cancel(id, person);
    const ended = await end(id, 'succeeded');
    expect(ended).toMatchObject({ state: 'succeeded', warnings: ['cancel_too_late'] });
  });

  it('a cancelled operation of a silent program ends after its lease', async () => {
    const { id } = await publish({ leaseS: 1 });
    await engine.operations.cancel(id, person);
    await waitFor(id, 'cancelled');
    await expect(report(id)).rejects.toMatchObject({ code: 'invalid_state' });
  });
});

describe('silence', () => {
  it('silence interrupts the operation durably, and the next report resumes it with its numbers', async () => {
    const { id } = await publish({ leaseS: 1 });
    await report(id, { done: 25 });
    const silent = await waitFor(id, 'interrupted');
    expect(silent.stateReason).toMatchObject({ code: 'publisher_silent' });
    expect(phaseOf(await stored(id))).toMatchObject({ done: 25, durable: 25 });
    expect(await report(id, { add: 1 })).toMatchObject({ state: 'running', stateReason: null });
    expect(phaseOf(engine.hub.get(id)!).done).toBe(26);
    expect(phaseOf(await waitFor(id, 'interrupted')).done).toBe(26);
    expect(await end(id, 'succeeded')).toMatchObject({ state: 'succeeded' });
  });

  it('a cancel of an interrupted operation ends at once', async () => {
    const { id } = await publish({ leaseS: 1 });
    await waitFor(id, 'interrupted');
    expect((await engine.operations.cancel(id, person)).state).toBe('cancelled');
  });

  it('an operation without a report for a day fails', async () => {
    const { id } = await publish({ leaseS: 1 });
    await waitFor(id, 'interrupted');
    retention.aheadMs = lostAfterMs + 60_000;
    const ended = await waitFor(id, 'failed');
    expect(ended.error).toMatchObject({ code: 'publisher_lost' });
  });
});

describe('D12: a wrong clock', () => {
  it('D12: a clock that is 400 days ahead fails no interrupted operation, also after a restart', async () => {
    const { id } = await publish({ leaseS: 1 });
    await waitFor(id, 'interrupted');
    aheadMs = 400 * 24 * 3_600_000;
    await engine.stop();
    engine = await startEngine();
    // Another operation of the same lease is checked after it.
    const later = await publish({ leaseS: 1 });
    await waitFor(later.id, 'interrupted');
    expect(await engine.operations.snapshot(id)).toMatchObject({ state: 'interrupted' });
    aheadMs = 0;
    expect(await report(id)).toMatchObject({ state: 'running' });
  });
});

describe('a restart', () => {
  it('after a restart the operation is interrupted, and the next report resumes from the durable numbers', async () => {
    const { id } = await publish();
    await report(id, { phase: 'upload', total: 1000, done: 100 });
    await report(id, { done: 400 });
    await engine.stop();
    engine = await startEngine();
    const after = (await engine.operations.snapshot(id))!;
    expect(after).toMatchObject({ state: 'interrupted', stateReason: { code: 'server_stopped' } });
    expect(phaseOf(after)).toMatchObject({ name: 'upload', done: 400, durable: 400 });
    await expect(engine.operations.retry(id, person, null)).rejects.toMatchObject({ code: 'invalid_state' });
    expect(await report(id, { done: 450 })).toMatchObject({ state: 'running' });
    expect(phaseOf(await report(id, { add: 1 })).done).toBe(451);
    expect(await end(id, 'succeeded')).toMatchObject({ state: 'succeeded' });
  });

  it('after a restart the silence still counts, and a cancelling operation has a lease', async () => {
    const [lost, cancelled] = [await publish({ leaseS: 1 }), await publish({ leaseS: 1 })];
    await waitFor(lost.id, 'interrupted');
    await report(cancelled.id);
    await engine.operations.cancel(cancelled.id, person);
    await engine.stop();
    retention.aheadMs = lostAfterMs + 60_000;
    engine = await startEngine();
    expect((await waitFor(lost.id, 'failed')).error).toMatchObject({ code: 'publisher_lost' });
    await waitFor(cancelled.id, 'cancelled');
  });

  it('reports are refused while the server stops', async () => {
    const { id } = await publish();
    const { operations } = engine;
    await operations.stop();
    await expect(report(id)).rejects.toMatchObject({ code: 'shutting_down' });
    await expect(publish()).rejects.toMatchObject({ code: 'shutting_down' });
    await expect(end(id, 'succeeded')).rejects.toMatchObject({ code: 'shutting_down' });
    expect(await stored(id)).toMatchObject({ state: 'interrupted' });
  });
});
