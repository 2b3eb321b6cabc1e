import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import fc from 'fast-check';
import type { Phase, Snapshot } from '@wcc/progress';
import { ProgressError, isTerminal } from '@wcc/progress';
import { nextStates } from '@wcc/progress/protocol';
import { createHub } from '../hub.ts';
import type { Hub } from '../hub.ts';
import type { Operation, StartOptions } from './operation.ts';

const run = promisify(execFile);
const options: StartOptions = {
  action: 'count_sheep',
  subject: { kind: 'flock', id: 7, name: 'merino' },
  owner: 'u1',
  total: 3,
};

let hub: Hub;
let errors: unknown[];
let clock: { ms: number } | null;

beforeEach(() => {
  errors = [];
  clock = null;
  hub = createHub({
    tickMs: 10,
    onError: (error) => errors.push(error),
    now: () => clock?.ms ?? performance.now(),
  });
});
afterEach(() => hub.close());

const only = (): Snapshot => [...hub.list()][0]!;
const phaseOf = ({ phases, phaseIndex }: Snapshot): Partial<Phase> => phases[phaseIndex] ?? {};
const codeOf = (call: () => void): string => {
  try {
    call();
    return 'nothing thrown';
  } catch (error) {
    return error instanceof ProgressError ? error.code : String(error);
  }
};

describe('hub.start', () => {
  it('ignores the handle of a removed operation when its id has a new operation', () => {
    const old = hub.start({ ...options, owner: 'ann', id: 'job' });
    hub.remove('job', 'deleted');
    const next = hub.start({ ...options, owner: 'bob', id: 'job' });
    next.add(1);
    old.phase('ghost', 100);
    old.fail(new Error('old'));
    hub.flush();
    expect(only()).toMatchObject({ owner: 'bob', state: 'running' });
    expect(phaseOf(only())).toMatchObject({ name: 'work', done: 1 });
    expect(old.snapshot).toMatchObject({ owner: 'ann', state: 'running' });
  });

  it.each(['succeeded', 'failed', 'cancelled', 'paused', 'nonsense'])(
    'refuses to start an operation as %s',
    (state) => {
      expect(codeOf(() => hub.start({ ...options, state: state as 'running' }))).toBe('invalid_record');
      expect([...hub.list()]).toEqual([]);
    },
  );

  it('ends as failed whatever the work throws, with a code that fits', () => {
    const unreadable = new Proxy({}, { get: () => expect.unreachable() });
    const wordy = Object.assign(new Error('e'.repeat(1e5)), { code: 'c'.repeat(1e5), hint: 'h'.repeat(1e5) });
    for (const error of [unreadable, wordy]) {
      const op = hub.start(options);
      op.fail(error);
      expect(JSON.parse(String(hub.bytes(op.id)))).toMatchObject({ state: 'failed' });
    }
    expect(errors).toEqual([]);
  });
});

describe('hub.run', () => {
  it('shows the work as an operation until its end', async () => {
    const seen: Snapshot[] = [];
    hub.onChange((ids) => seen.push(...[...ids].map((id) => hub.get(id)!)));
    const result = await hub.run(options, async (op) => {
      for (let sheep = 0; sheep < 3; sheep += 1) {
        await sleep(25);
        op.add(1);
      }
      op.phase('sleep');
      await sleep(25);
      return op.id;
    });
    hub.flush();
    expect(seen.length).toBeGreaterThanOrEqual(3);
    expect(seen[0]).toMatchObject({ id: result, label: 'count_sheep_7', state: 'running', ownerName: 'u1' });
    expect(only()).toMatchObject({
      state: 'succeeded',
      phaseIndex: 1,
      phases: [
        { name: 'work', state: 'done' },
        { name: 'sleep', state: 'done', total: null },
      ],
    });
    expect(only().elapsedMs).toBeGreaterThan(90);
    expect(only().phases[0]?.elapsedMs).toBeGreaterThan(70);
    expect(Date.parse(only().endedAt ?? '')).toBeLessThanOrEqual(Date.now());
    expect(errors).toEqual([]);
  });

  it('ends as failed with the error of the work', async () => {
    const error = Object.assign(new Error('wolf'), { code: 'wolf_came', hint: 'Close the gate.' });
    await expect(hub.run(options, () => Promise.reject(error))).rejects.toBe(error);
    expect(only()).toMatchObject({
      state: 'failed',
      error: { code: 'wolf_came', message: 'wolf', hint: 'Close the gate.', detail: null },
      phases: [{ state: 'failed' }],
    });
  });

  it('is cancelling at once when its signal is aborted, and cancelled without a failed phase', async () => {
    const controller = new AbortController();
    const work = hub.run({ ...options, signal: controller.signal }, ({ signal }) =>
      sleep(5000, null, { signal }),
    );
    controller.abort(new Error('the user pressed Cancel'));
    expect(only()).toMatchObject({ state: 'cancelling', phases: [{ state: 'running' }] });
    await expect(work).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }));
    expect(only()).toMatchObject({ state: 'cancelled', error: null, phases: [{ state: 'skipped' }] });
  });

  it('succeeds when the work ends normally although its signal was aborted', async () => {
    await hub.run(options, async (op) => {
      expect(hub.abort(op.id, 'too late')).toBe(true);
      expect(op.signal.reason).toBe('too late');
      expect(op.snapshot.state).toBe('cancelling');
      await sleep(1);
    });
    expect(only().state).toBe('succeeded');
    expect(hub.abort(only().id)).toBe(false);
    expect(hub.abort('unknown')).toBe(false);
  });

  it('does not begin the work when its signal is aborted before', async () => {
    const work = vi.fn<() => Promise<void>>();
    const reason = new Error('shutting down');
    await expect(hub.run({ ...options, signal: AbortSignal.abort(reason) }, work)).rejects.toBe(reason);
    expect(work).not.toHaveBeenCalled();
    expect(only()).toMatchObject({ state: 'cancelled', error: null });
  });

  it('keeps the result and the end that the work reports, and returns what the work returns', async () => {
    const secret = { apiKey: 'x' };
    const returned = await hub.run(options, (op) => {
      op.succeed({ kind: 'report', id: 42 });
      return secret;
    });
    expect(returned).toBe(secret);
    expect(only()).toMatchObject({ state: 'succeeded', result: { kind: 'report', id: 42 } });
    expect(String(hub.bytes(only().id))).not.toContain('apiKey');
  });

  it('returns the value of the work although the hub was closed or the operation was removed', async () => {
    const removed = await hub.run(options, (op) => {
      hub.remove(op.id, 'deleted');
      op.add(1);
      return Promise.resolve('removed');
    });
    expect(removed).toBe('removed');
    expect([...hub.list()]).toEqual([]);
    const closed = await hub.run(options, (op) => {
      hub.close();
      op.add(1);
      op.phase('sleep');
      return Promise.resolve('closed');
    });
    expect(closed).toBe('closed');
    expect(codeOf(() => hub.start(options))).toBe('hub_closed');
    expect(errors).toEqual([]);
  });
});

describe('the numbers of an operation', () => {
  const bad: unknown[] = [Number.NaN, Number.POSITIVE_INFINITY, -3, -0.5, '3', null, undefined, 3n, {}];

  it.each(bad)('throw invalid_amount for %s at every call, and stay as they were', (value) => {
    const op = hub.start(options);
    op.add(1);
    const amount = value as number;
    expect(codeOf(() => op.add(amount))).toBe('invalid_amount');
    expect(codeOf(() => op.set(amount))).toBe('invalid_amount');
    // For totals, null means unknown, and an absent total is null.
    const isTotal = value === null || value === undefined;
    if (!isTotal) expect(codeOf(() => op.phase('next', amount))).toBe('invalid_amount');
    if (value !== null) expect(codeOf(() => (op.total = amount))).toBe('invalid_amount');
    if (!isTotal) expect(codeOf(() => hub.start({ ...options, total: amount }))).toBe('invalid_amount');
    expect(phaseOf(op.snapshot)).toMatchObject({ name: 'work', done: 1, durable: 1, total: 3 });
    expect([...hub.list()]).toHaveLength(1);
    op.succeed();
  });

  it('name the call and the value in the error', () => {
    const op = hub.start(options);
    expect(() => op.add('3' as unknown as number)).toThrow(
      'The amount is not a finite number of 0 or more. (add: "3")',
    );
    op.cancel();
  });

  it('never show more than the total, with durable at most done', () => {
    const op = hub.start({ ...options, total: 10 });
    op.add(25);
    expect(phaseOf(op.snapshot)).toMatchObject({ done: 10, durable: 10, total: 10 });
    expect(errors).toMatchObject([{ code: 'invalid_record' }]);
    op.total = 30;
    expect(phaseOf(op.snapshot)).toMatchObject({ done: 25, durable: 25, total: 30 });
    op.total = null;
    expect(op.total).toBeNull();
    expect(phaseOf(op.snapshot)).toMatchObject({ done: 25, durable: 25, total: null });
    op.succeed();
  });

  it('follow a counter of another program, which may start over', () => {
    const op = hub.start({ ...options, total: 100 });
    op.set(40);
    expect(phaseOf(op.snapshot)).toMatchObject({ done: 40, durable: 40 });
    op.set(5);
    expect(phaseOf(op.snapshot)).toMatchObject({ done: 40, durable: 5 });
    expect(errors).toMatchObject([{ code: 'done_decreased' }]);
    op.set(60);
    expect(phaseOf(op.snapshot)).toMatchObject({ done: 60, durable: 60 });
    op.succeed();
  });
});

describe('an operation handle', () => {
  it('follows the job of a queue: queued with a reason, running, a foreign counter, its end', () => {
    const op = hub.start({ ...options, id: 'job:17', state: 'queued', total: 20, title: 'Resize photos' });
    expect(op.snapshot).toMatchObject({
      id: 'job:17',
      title: 'Resize photos',
      state: 'queued',
      startedAt: null,
      phaseIndex: -1,
      phases: [{ name: 'work', state: 'pending' }],
    });
    op.wait('no_worker');
    expect(op.snapshot).toMatchObject({ state: 'queued', stateReason: { code: 'no_worker' } });
    op.resume();
    expect(op.snapshot).toMatchObject({ state: 'running', stateReason: null });
    expect(op.snapshot.startedAt).not.toBeNull();
    op.set(18);
    op.wait({ code: 'rate_limited', params: { seconds: 5 } });
    expect(op.snapshot).toMatchObject({
      state: 'paused',
      stateReason: { code: 'rate_limited', params: { seconds: 5 } },
    });
    expect(phaseOf(op.snapshot)).toMatchObject({ done: 18, total: 20 });
    op.succeed({ kind: 'album', id: 'a1' });
    expect(op.snapshot).toMatchObject({ state: 'succeeded', result: { kind: 'album', id: 'a1' } });
    expect(errors).toEqual([]);
  });

  it.each([
    ['add', (op: Operation) => op.add(1)],
    ['set', (op: Operation) => op.set(0)],
    ['phase', (op: Operation) => op.phase('resize', 5)],
  ])('is running with the first %s, although the queue reported no start', (_call, report) => {
    const op = hub.start({ ...options, state: 'queued' });
    report(op);
    expect(op.snapshot).toMatchObject({ state: 'running', phaseIndex: 0, phases: [{ state: 'running' }] });
    op.succeed();
    expect(errors).toEqual([]);
  });

  it('replaces the default phase that has done nothing, and keeps a named one', () => {
    const bare = hub.start({ action: 'a', owner: 'u1' });
    bare.phase('resize', 5);
    expect(bare.snapshot.phases).toMatchObject([{ name: 'resize', total: 5 }]);
    const named = hub.start({ action: 'b', owner: 'u1', phase: 'read' });
    named.phase('resize', 5);
    expect(named.snapshot.phases).toMatchObject([{ name: 'read', state: 'done' }, { name: 'resize' }]);
    bare.succeed();
    named.succeed();
  });

  it('shows each warning once', () => {
    const op = hub.start(options);
    op.warn('lame_sheep');
    expect(op.snapshot.warnings).toEqual(['lame_sheep']);
    op.warn('lame_sheep');
    op.warn('black_sheep');
    expect(op.snapshot.warnings).toEqual(['lame_sheep', 'black_sheep']);
    op.succeed();
  });

  it('counts only the time in which it ran', () => {
    const time = (clock = { ms: 0 });
    const op = hub.start({ ...options, state: 'queued' });
    time.ms = 5000;
    op.resume();
    time.ms = 6000;
    op.pause('by_user');
    time.ms = 60_000;
    op.resume();
    time.ms = 62_000;
    op.succeed();
    expect(op.snapshot).toMatchObject({ elapsedMs: 3000, phases: [{ elapsedMs: 3000 }] });
  });

  it('refuses to pause what is queued, and an id that the hub knows', () => {
    const op = hub.start({ ...options, state: 'queued' });
    expect(codeOf(() => op.pause())).toBe('invalid_transition');
    expect(codeOf(() => hub.start({ ...options, id: op.id }))).toBe('operation_exists');
    op.cancel();
    expect(codeOf(() => hub.start({ ...options, id: op.id }))).toBe('operation_exists');
    expect(codeOf(() => hub.start({ ...options, id: 'x'.repeat(65) }))).toBe('invalid_record');
    expect(codeOf(() => hub.start({ total: 3 } as unknown as StartOptions))).toBe('invalid_record');
  });

  it('ends as cancelled if it fails because of the abort, and as failed if its clean-up failed', () => {
    const aborted = (): Operation => {
      const op = hub.start(options);
      hub.abort(op.id, new Error('Cancel'));
      return op;
    };
    const [byReason, byCause, byOther] = [aborted(), aborted(), aborted()];
    byReason.fail(byReason.signal.reason);
    byCause.fail(new Error('copy failed', { cause: byCause.signal.reason }));
    byOther.fail(new Error('cannot remove the half file'));
    expect(byReason.snapshot.state).toBe('cancelled');
    expect(byCause.snapshot.state).toBe('cancelled');
    expect(byOther.snapshot).toMatchObject({
      state: 'failed',
      error: { message: 'cannot remove the half file' },
    });
  });

  it.each([
    ['a text', 'wolf', 'wolf'],
    ['nothing', undefined, 'The operation failed.'],
    ['an object without prototype', Object.create(null) as unknown, 'The operation failed.'],
    ['an error of a queue', { message: 'job stalled', stack: 'at secret.ts' }, 'job stalled'],
  ])('fails with %s as its error', (_what, error, message) => {
    const op = hub.start(options);
    op.fail(error);
    expect(op.snapshot.error).toEqual({ code: 'failed', message, hint: '', detail: null });
  });

  it('ends at the end of its scope: failed as abandoned, or cancelled after an abort', async () => {
    const [lost, aborted, ended] = [hub.start(options), hub.start(options), hub.start(options)];
    hub.abort(aborted.id);
    ended.succeed();
    for (const op of [lost, aborted, ended]) await op[Symbol.asyncDispose]();
    expect(lost.snapshot).toMatchObject({ state: 'failed', error: { code: 'abandoned' } });
    expect(aborted.snapshot.state).toBe('cancelled');
    expect(ended.snapshot.state).toBe('succeeded');
  });

  it('fails as abandoned when the program has lost the handle', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const { id } = (() => hub.start(options))();
    await vi.waitFor(
      () => {
        collect();
        expect(hub.get(id)).toMatchObject({ state: 'failed', error: { code: 'abandoned' } });
      },
      { timeout: 10_000 },
    );
  });

  it('does not keep its process alive when the program never ends it', async () => {
    const source = `
      import { createHub } from '@wcc/progress/server';
      const op = createHub().start({ action: 'count', owner: 'u1', signal: new AbortController().signal });
      op.add(1);
      process.on('exit', () => console.log(op.snapshot.state));`;
    const options = { cwd: import.meta.dirname, timeout: 20_000 };
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', source], options);
    expect(stdout).toBe('running\n');
  });

  it('leaves no listener on a signal that outlives it', async () => {
    const controller = new AbortController();
    const add = vi.spyOn(controller.signal, 'addEventListener');
    const remove = vi.spyOn(controller.signal, 'removeEventListener');
    for (let count = 0; count < 40; count += 1)
      await hub.run({ ...options, signal: controller.signal }, () => undefined);
    expect(add).toHaveBeenCalledTimes(40);
    expect(remove).toHaveBeenCalledTimes(40);
    controller.abort();
    expect([...hub.list()].map(({ state }) => state)).toEqual(Array.from({ length: 40 }, () => 'succeeded'));
  });

  it('takes only allowed changes of state and keeps durable ≤ done ≤ total, for any sequence of calls', () => {
    // JSON writes -0 as 0; adding 0 does the same.
    const amount = fc.oneof(fc.nat(40), fc.double(), fc.constant(Number.NaN)).map((n) => n + 0);
    const call = fc.oneof(
      fc.record({ name: fc.constantFrom('add', 'set', 'phase', 'total'), amount }),
      fc.record({
        name: fc.constantFrom('wait', 'pause', 'resume', 'abort', 'succeed', 'fail', 'cancel', 'warn'),
        amount: fc.constant(0),
      }),
    );
    fc.assert(
      fc.property(fc.array(call, { maxLength: 25 }), fc.boolean(), (calls, isQueued) => {
        const op = hub.start({ ...options, state: isQueued ? 'queued' : 'running' });
        let before = op.snapshot;
        for (const { name, amount: n } of calls) {
          const code = codeOf(() => act(op, name, n));
          expect(['nothing thrown', 'invalid_amount', 'invalid_transition']).toContain(code);
          const now = op.snapshot;
          assertTrue(now);
          if (isTerminal(before.state)) expect(now).toEqual(before);
          else expect(canFollow(before.state, now.state)).toBe(true);
          before = now;
        }
        op.cancel();
        expect(isTerminal(op.snapshot.state)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});

function act(op: Operation, name: string, n: number): void {
  if (name === 'total') op.total = n;
  else if (name === 'abort') hub.abort(op.id);
  else if (name === 'phase') op.phase('next', n);
  else if (name === 'add' || name === 'set') op[name](n);
  else if (name === 'warn') op.warn('w');
  else if (name === 'fail') op.fail(new Error('x'));
  else op[name as 'wait']();
}

/** One call may pass through `running`, or through `cancelling` to its end. */
function canFollow(from: Snapshot['state'], to: Snapshot['state']): boolean {
  const direct = (one: Snapshot['state'], other: Snapshot['state']): boolean =>
    one === other || nextStates(one).includes(other);
  return direct(from, to) || nextStates(from).some((middle) => direct(middle, to));
}

function assertTrue(snapshot: Snapshot): void {
  const { done = 0, durable = 0, total = null } = phaseOf(snapshot);
  expect(durable).toBeLessThanOrEqual(done);
  expect(durable).toBeGreaterThanOrEqual(0);
  if (total !== null) expect(done).toBeLessThanOrEqual(total);
  expect(snapshot.startedAt === null).toBe(snapshot.phaseIndex === -1);
  expect(snapshot.endedAt === null).toBe(!isTerminal(snapshot.state));
  expect(snapshot.error === null).toBe(snapshot.state !== 'failed');
  expect(JSON.parse(JSON.stringify(snapshot))).toEqual(snapshot);
}
