import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import type { Snapshot } from '@wcc/progress';
import { createOperationId, isTerminal } from '@wcc/progress';
import type { ProgressClient } from '@wcc/progress/client';
import { startBalancer } from '../kit/bridge/balancer.ts';
import type { Balancer } from '../kit/bridge/balancer.ts';
import { ProgressProcess } from '../kit/bridge/progress-process.ts';
import type { StartedOperation } from '../kit/bridge/progress-process.ts';
import { hasRedis, startRedis } from '../kit/bridge/redis.ts';
import type { RedisServer } from '../kit/bridge/redis.ts';
import { connectAs, watchOperation } from '../kit/bridge/watch.ts';
import type { Watch } from '../kit/bridge/watch.ts';
import { findFreePort } from '../kit/network/ports.ts';
import { until } from '../kit/poll.ts';

/** Several server processes with one bridge: any of them answers any watcher, whatever fails in between. */
const watches = Number(process.env['WCC_BRIDGE_WATCHES'] ?? 100);
const watchesPerClient = 10;
const example = fileURLToPath(new URL('../../packages/progress/examples/redis/server.mjs', import.meta.url));

const processes: ProgressProcess[] = [];
const clients: ProgressClient[] = [];
const children: ChildProcess[] = [];
let redis: RedisServer | null = null;
let balancer: Balancer | null = null;

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await Promise.all(processes.splice(0).map((each) => each.end('SIGKILL')));
  await balancer?.close();
  await redis?.kill();
  [balancer, redis] = [null, null];
});

function startProcess(options: ConstructorParameters<typeof ProgressProcess>[0]): ProgressProcess {
  const started = new ProgressProcess(options);
  processes.push(started);
  return started;
}

function connectClients(port: number, count: number): ProgressClient[] {
  const connected = Array.from({ length: count }, (_, index) => connectAs(`user${index}`, port));
  clients.push(...connected);
  return connected;
}

interface Planned extends StartedOperation {
  by: ProgressProcess;
  startAtMs: number;
}

/** Operations of 2 to 5 s that a process starts between 3 and 9 s after the beginning. */
function plan(by: ProgressProcess, count: number, changes: Partial<Planned> = {}): Planned[] {
  return Array.from({ length: count }, (_, index) => ({
    id: createOperationId(),
    by,
    owner: 'ann',
    total: 50,
    stepMs: 40 + ((index * 17) % 60),
    end: index % 4 === 3 ? ('fail' as const) : ('succeed' as const),
    startAtMs: 3000 + Math.round((6000 * index) / count),
    ...changes,
  }));
}

/** Runs calls at their times, in milliseconds after now. */
async function runAt(calls: readonly (readonly [atMs: number, call: () => unknown])[]): Promise<void> {
  const beganAtMs = performance.now();
  for (const [atMs, call] of calls.toSorted(([a], [b]) => a - b)) {
    await sleep(Math.max(0, beganAtMs + atMs - performance.now()));
    await call();
  }
}

/** When each watch of an operation begins: a third before it, a third while it runs, a third after its end. */
function beginsAtMs({ startAtMs, total, stepMs }: Planned, index: number): number {
  const durationMs = Math.min(6000, total * stepMs);
  const offsets = [-1500 - (index % 10) * 100, durationMs / 2, durationMs + 2000 + (index % 10) * 100];
  return startAtMs + (offsets[index % 3] ?? 0);
}

/** Watches in turn over all clients and all operations. @returns the watches, and the calls that begin them */
function planWatches(
  operations: readonly Planned[],
  from: readonly ProgressClient[],
  count: number,
): { begun: Watch[]; calls: [number, () => unknown][] } {
  const begun: Watch[] = [];
  const calls = Array.from({ length: count }, (_, index): [number, () => unknown] => {
    const operation = operations[Math.floor(index / 3) % operations.length];
    const client = from[index % from.length];
    if (operation === undefined || client === undefined) throw new Error('There is nothing to watch.');
    return [beginsAtMs(operation, index), () => begun.push(watchOperation(client, operation.id))];
  });
  return { begun, calls };
}

const startCalls = (operations: readonly Planned[]): [number, () => unknown][] =>
  operations.map((operation) => [operation.startAtMs, () => operation.by.start([operation])]);

const isLost = ({ last }: Pick<Watch, 'last'>): boolean =>
  last?.state === 'interrupted' && last.stateReason?.code === 'process_lost';

/** The true ends, asked of the process that ran each operation. */
async function trueEnds(operations: readonly Planned[]): Promise<Map<string, Snapshot>> {
  const ends = new Map<string, Snapshot>();
  for (const { id, by } of operations) {
    const end = await until(
      async () => {
        const snapshot = await by.snapshot(id);
        return snapshot !== null && isTerminal(snapshot.state) && snapshot;
      },
      { what: `${id} ends in its own process` },
    );
    ends.set(id, end);
  }
  return ends;
}

const untrue = (all: readonly Watch[], isTrue: (watch: Watch) => boolean): string[] =>
  all
    .filter((watch) => !isTrue(watch))
    .map(({ id, last }) => `${id}: ${last?.state} ${last?.stateReason?.code}`);

describe.skipIf(!hasRedis)('two processes behind a balancer, with a bridge over Redis', () => {
  it(`show ${watches} watchers the true end, though messages are lost and Redis and a worker are killed`, async () => {
    const server = await startRedis();
    redis = server;
    const options = { redis: server.url, loss: 0.1 };
    const [a, b, worker] = [startProcess(options), startProcess(options), startProcess(options)];
    await until(() => processes.every(({ started }) => started.length > 0), { what: 'the processes start' });
    balancer = await startBalancer([a.port, b.port]);
    const connected = connectClients(balancer.port, Math.ceil(watches / watchesPerClient));
    const kept = [...plan(a, 13), ...plan(b, 13)];
    const left = plan(worker, 4, { startAtMs: 3000, total: 5000, stepMs: 20 });
    const { begun, calls } = planWatches([...kept, ...left], connected, watches);
    await runAt([
      ...startCalls([...kept, ...left]),
      ...calls,
      [6000, () => server.kill()],
      [7000, () => worker.end('SIGKILL')],
      [8500, () => server.start()],
    ]);
    expect(begun).toHaveLength(watches);
    const ends = await trueEnds(kept);
    const isTrue = ({ id, last }: Watch): boolean => {
      const end = ends.get(id);
      return end === undefined ? isLost({ last }) : last?.seq === end.seq && last.epoch === end.epoch;
    };
    await until(() => untrue(begun, isTrue).length === 0, {
      what: () => `every watcher sees the true end; ${untrue(begun, isTrue).join(', ')}`,
      timeoutMs: 40_000,
    });
    for (const { id, last } of begun) expect(last).toEqual(ends.get(id) ?? last);
    expect(begun.flatMap(({ offences }) => offences)).toEqual([]);
    const facts = await Promise.all([a.facts(), b.facts()]);
    for (const { connections, messages, processes: others } of facts) {
      expect(connections).toBeGreaterThan(0);
      expect(messages).toBeGreaterThan(0);
      expect(others.map(({ state }) => state).toSorted()).toEqual(['live', 'lost']);
    }
  });

  it('cancel an operation of the other process, and show at once what a stopped process leaves', async () => {
    redis = await startRedis();
    const options = { redis: redis.url };
    const [a, b] = [startProcess(options), startProcess(options)];
    await until(() => processes.every(({ started }) => started.length > 0), { what: 'the processes start' });
    const [cancelled, left] = plan(a, 2, { total: 5000 }) as [Planned, Planned];
    await a.start([cancelled, left]);
    const ann = connectAs('ann', b.port);
    clients.push(ann);
    const seen = [cancelled, left].map(({ id }) => watchOperation(ann, id)) as [Watch, Watch];
    await until(() => seen.every(({ last }) => last?.state === 'running'), { what: 'both are seen' });
    await ann.act(cancelled.id, 'cancel');
    await until(() => seen[0].last?.state === 'cancelled', { what: 'the operation is cancelled' });
    expect((await a.snapshot(cancelled.id))?.state).toBe('cancelled');
    await a.end('SIGTERM');
    await until(() => seen[1].last?.state === 'interrupted', {
      what: 'the other is interrupted',
      timeoutMs: 5000,
    });
    expect(seen[1].last?.stateReason).toEqual({ code: 'process_lost' });
    expect(seen[0].last?.state).toBe('cancelled');
  });
});

describe.skipIf(!hasRedis)('the example of several processes', () => {
  it('shows a job of one server at the other', async () => {
    redis = await startRedis();
    const ports = [await findFreePort(), await findFreePort()] as const;
    for (const port of ports) {
      const env = { ...process.env, PORT: String(port), REDIS: redis.url };
      children.push(spawn(process.execPath, [example], { env, stdio: 'inherit' }));
    }
    const [first, second] = ports.map((port) => `http://localhost:${port}`) as [string, string];
    const accepted = (): Promise<boolean> =>
      fetch(`${first}/jobs`, { method: 'POST' }).then(
        ({ status }) => status === 202,
        () => false,
      );
    await until(accepted, { what: 'the first server accepts a job' });
    const events = await until(() => fetch(`${second}/progress/events?list=all`).catch(() => null), {
      what: 'the second server answers',
    });
    let text = '';
    for await (const chunk of events.body ?? []) {
      text += Buffer.from(chunk).toString();
      if (/"action":"count_sheep".*"done":[1-9]/.test(text)) break;
    }
    expect(events.headers.get('content-type')).toContain('text/event-stream');
    expect(text).toContain('"state":"running"');
  });
});

describe('two workers of a cluster, with a bridge over their primary', () => {
  it('show 60 watchers by sockets and event streams the true end, though messages are lost and one worker is killed', async () => {
    const cluster = startProcess({ workers: 2, loss: 0.1 });
    await until(() => cluster.started.length === 2, { what: 'the workers start' });
    expect(new Set(cluster.started.map(({ port }) => port)).size).toBe(1);
    // The cluster chooses the worker of each connection, so about half the tickets are of the other one.
    const connected = Array.from({ length: 6 }, (_, index) =>
      connectAs(`user${index}`, cluster.port, { transport: index % 2 === 0 ? 'websocket' : 'sse' }),
    );
    clients.push(...connected);
    const short = plan(cluster, 6, { stepMs: 20 });
    const long = plan(cluster, 4, { startAtMs: 3000, total: 5000, stepMs: 20 });
    const pids = new Map<string, number>();
    const starts = [...short, ...long].map((operation): [number, () => unknown] => [
      operation.startAtMs,
      async () => pids.set(operation.id, await cluster.start([operation])),
    ]);
    const { begun, calls } = planWatches([...short, ...long], connected, 60);
    let killed = 0;
    const kill = (): void => {
      killed = pids.get(long[0]?.id ?? '') ?? 0;
      process.kill(killed, 'SIGKILL');
    };
    await runAt([...starts, ...calls, [11_000, kill]]);
    expect(new Set(pids.values()).size).toBe(2);
    const shortIds = new Set(short.map(({ id }) => id));
    const isTrue = (watch: Watch): boolean => {
      if (shortIds.has(watch.id)) return watch.last !== null && isTerminal(watch.last.state);
      return pids.get(watch.id) === killed ? isLost(watch) : watch.last?.state === 'running';
    };
    await until(() => untrue(begun, isTrue).length === 0, {
      what: () => `every watcher sees the truth; ${untrue(begun, isTrue).join(', ')}`,
      timeoutMs: 40_000,
    });
    for (const { id, last } of begun) {
      if (shortIds.has(id)) expect(last).toEqual(await cluster.snapshot(id));
    }
    expect(begun.filter(isLost).length).toBeGreaterThan(0);
    expect(begun.flatMap(({ offences }) => offences)).toEqual([]);
    const facts = await cluster.facts();
    expect(facts.messages).toBeGreaterThan(0);
    expect(facts.processes).toMatchObject([{ state: 'lost' }]);
    expect(cluster.errors).toBe('');
  });

  it('report that a primary, such as PM2, passes no messages on', async () => {
    const cluster = startProcess({ workers: 1, passesOn: false });
    await until(() => cluster.started.length === 1, { what: 'the worker starts' });
    await until(async () => (await cluster.facts()).errors.length > 0, {
      what: 'the bridge reports an error',
    });
    const { errors } = await cluster.facts();
    expect(errors).toEqual([expect.stringContaining('does not pass on the messages of the bridge')]);
  });
});
