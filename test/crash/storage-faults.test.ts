import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Operation } from '@wcc/api';
import { ApiProblem } from '@wcc/api/client';
import { describe, expect, it } from 'vitest';
import { createInjector, families, injectorSkipReason } from '../kit/faults/injector.ts';
import type { Counts, FaultPlan, Injector } from '../kit/faults/injector.ts';
import { drawPoints, errnoOf, nameOf } from '../kit/faults/points.ts';
import type { FaultPoint } from '../kit/faults/points.ts';
import { createWorks, RefusedUpload, workKinds } from '../kit/faults/works.ts';
import type { Work, WorkContext, WorkKind } from '../kit/faults/works.ts';
import { MiB } from '../kit/images.ts';
import { loopMountSkipReason, withLoopFileSystem } from '../kit/loop-mount.ts';
import type { LoopFileSystem } from '../kit/loop-mount.ts';
import { startFileServer } from '../kit/network/file-server.ts';
import { findOrphans, hasEnded, registerImage } from '../kit/operations.ts';
import { until } from '../kit/poll.ts';
import { createRandom, seedOfRun } from '../kit/random.ts';
import type { Random } from '../kit/random.ts';
import { startServer } from '../kit/server.ts';

/**
 * System calls of a running server fail at random points. Afterwards the disk and the record agree, whatever failed:
 * a file is under its final name if and only if its operation succeeded, nothing that can resume was lost, and
 * nothing is left over. `WCC_FAULT_POINTS` sets the number of points.
 */
const points = Number.parseInt(process.env['WCC_FAULT_POINTS'] ?? '12', 10);
const refusal = loopMountSkipReason() ?? injectorSkipReason();
if (refusal !== null) console.log(`Skipped, storage faults: ${refusal}.`);

/** An operation that rests does nothing until something happens: it ended, or waits for the end of the fault. */
const restsIn = new Set(['succeeded', 'failed', 'cancelled', 'paused', 'interrupted']);

interface Bench extends WorkContext {
  injector: Injector;
  works: Record<WorkKind, Work>;
  /** Everything of the pool but its marker and lock, and the files of machines in the data directory. */
  paths: string;
  /** Those of the pool only. */
  poolPaths: string;
  readonly mount: () => void;
  readonly unmount: () => void;
}

async function withBench(kind: LoopFileSystem, use: (bench: Bench) => Promise<void>): Promise<void> {
  await withLoopFileSystem(kind, 640 * MiB, async (mountPoint) => {
    const injector = await createInjector();
    const files = await startFileServer();
    const home = dirname(mountPoint);
    const poolDir = join(home, 'pool');
    const mount = (): void => void execFileSync('mount', ['--bind', mountPoint, poolDir]);
    const unmount = (): void => void execFileSync('umount', ['-l', poolDir]);
    mkdirSync(poolDir);
    mount();
    try {
      const args = ['--free-space-floor', '0', '--import-allow', '127.0.0.1'];
      const server = await startServer({ home, poolDir, args, launcher: injector.launcher });
      try {
        const bytes = randomBytes(8 * MiB);
        await writeFile(join(poolDir, 'source.raw'), bytes);
        const source = await registerImage(server, 'source.raw');
        const context = { server, files, source, bytes };
        const poolPaths = `^${poolDir}($|/(?!\\.wcc-pool))`;
        const paths = `${poolPaths}|^${server.dataDir}/(seeds|machines)(/|$)`;
        await use({ ...context, injector, works: createWorks(context), paths, poolPaths, mount, unmount });
        expect(server.log()).not.toContain('injector:');
      } finally {
        await server.stop();
        await server.close();
      }
    } finally {
      unmount();
      await Promise.all([injector.close(), files.close()]);
    }
  });
}

/** @returns null when the server refused the operation at once */
async function startWork(work: Work, name: string): Promise<string | null> {
  try {
    return await work.start(name);
  } catch (error) {
    if (error instanceof RefusedUpload || (error instanceof ApiProblem && error.status !== 0)) return null;
    throw error;
  }
}

async function waitForRest({ server }: Bench, work: Work, id: string): Promise<Operation> {
  await work.drive(id);
  let last: Operation | undefined;
  return until(
    async () => {
      last = await server.api.operation(id);
      // An upload that its client drives may rest between two requests.
      return restsIn.has(last.state) || last.stateReason?.code === 'waiting_for_client' ? last : null;
    },
    { what: () => `${id} to rest: ${JSON.stringify(last)}`, everyMs: 15 },
  );
}

/** Resumes the operation until it ended, now that nothing fails. */
async function settle({ server }: Bench, work: Work, id: string): Promise<Operation> {
  let last: Operation | undefined;
  let rounds = 0;
  return until(
    async () => {
      last = await server.api.operation(id);
      if (hasEnded(last)) return last;
      const [pool] = (await server.api.pools()).items;
      if (pool?.state !== 'ready' && rounds++ % 20 === 0)
        await server.api.rescan(pool?.id ?? '').catch(() => null);
      // It may resume by itself at the same moment.
      if (last.state === 'paused' || last.state === 'interrupted')
        await server.api.resume(id).catch((error: unknown) => {
          if (!(error instanceof ApiProblem)) throw error;
        });
      await work.drive(id);
      return null;
    },
    { what: () => `${id} to end: ${JSON.stringify(last)}`, everyMs: 50, timeoutMs: 90_000 },
  );
}

interface Outcome {
  point: FaultPoint;
  hits: Counts | { unmount: number };
  rest: string;
  faults: string[];
}

async function strike(bench: Bench, point: FaultPoint, act: () => Promise<void>): Promise<Outcome['hits']> {
  const { injector, paths, poolPaths } = bench;
  if (point.call === 'unmount') {
    const losing = sleep(point.afterMs).then(bench.unmount);
    await act();
    await losing;
    return { unmount: 1 };
  }
  const plan = { calls: [point.call], errno: errnoOf(point.error), skip: point.skip, times: point.times };
  // A database that is gone stops the whole server, not one operation.
  const where = point.error === 'ENOENT' ? poolPaths : paths;
  await injector.arm({ ...plan, path: where });
  await act();
  return (await injector.disarm()).hits;
}

async function tryPoint(bench: Bench, point: FaultPoint, name: string): Promise<Outcome> {
  const { server } = bench;
  const work = bench.works[point.kind];
  await work.prepare(name);
  let id: string | null = null;
  let rest: Operation | null = null;
  const hits = await strike(bench, point, async () => {
    id = await startWork(work, name);
    rest = id === null ? null : await waitForRest(bench, work, id);
  });
  const faults: string[] = [];
  if (point.call === 'unmount') {
    faults.push(...readdirSync(server.poolDir).map((left) => `${left} lies below the mount point`));
    bench.mount();
  }
  const stopped = rest as Operation | null;
  const end = id === null ? null : await settle(bench, work, id);
  if (end === null || end.state !== 'succeeded') {
    const fault = await work.faultWithoutSuccess(name);
    if (fault !== null) faults.push(`${end?.state ?? 'refused'}: ${fault}`);
    if (end !== null) faults.push(`${end.state}: ${JSON.stringify(end.error)}`);
  } else {
    const fault = await work.faultAfterSuccess(name);
    if (fault !== null) faults.push(`succeeded: ${fault}`);
  }
  const { items } = id === null ? { items: [] } : await server.api.operationLog(id);
  faults.push(...(await leftOver(bench)));
  if (faults.length > 0) faults.push(...items.map(({ text }) => `  ${text}`));
  await work.remove(name);
  const reason = stopped?.error?.code ?? stopped?.stateReason?.code ?? '';
  return { point, hits, rest: stopped === null ? 'refused' : `${stopped.state} ${reason}`, faults };
}

/** A point that did not come to its end. What it left must not disturb the next one. */
async function failed(
  { server, injector, mount }: Bench,
  point: FaultPoint,
  error: unknown,
): Promise<Outcome> {
  if (point.call === 'unmount') mount();
  else await injector.disarm();
  for (const { id, state } of (await server.api.operations({ limit: 200 })).items)
    if (!hasEnded({ state })) await server.api.cancel(id);
  return { point, hits: {}, rest: 'no end', faults: [String(error)] };
}

/** Hidden files and promises that outlive their operation, and the sweep of the next start. */
async function leftOver({ server }: Bench): Promise<string[]> {
  const faults: string[] = [];
  const orphans = (): Promise<string[]> => findOrphans(server.poolDir);
  const isClean = async (): Promise<boolean> => (await orphans()).length === 0;
  await until(isClean, { what: 'the removal of hidden files', timeoutMs: 3000 }).catch(async () => {
    await server.stop();
    await server.start();
    await until(isClean, { what: 'the sweep', timeoutMs: 15_000 }).catch(() => null);
    for (const name of await orphans()) {
      faults.push(`${name} is left`);
      await rm(join(server.poolDir, name));
    }
  });
  const reserved = async (): Promise<number> => (await server.api.pools()).items[0]?.reservedBytes ?? -1;
  await until(async () => (await reserved()) === 0, { what: 'free space', timeoutMs: 5000 }).catch(
    async () => void faults.push(`${await reserved()} bytes are still reserved`),
  );
  return faults;
}

/** The calls of each kind of work without a fault. */
async function countCalls(bench: Bench): Promise<Record<WorkKind, Counts>> {
  const seen = {} as Record<WorkKind, Counts>;
  const passes: FaultPlan = { calls: families, path: bench.paths, errno: 0, skip: 0, times: 0 };
  for (const kind of workKinds) {
    const work = bench.works[kind];
    const name = `count-${kind}`;
    await work.prepare(name);
    await bench.injector.arm(passes);
    const id = await work.start(name);
    await work.drive(id);
    const end = await settle(bench, work, id);
    seen[kind] = (await bench.injector.disarm()).seen;
    expect([kind, end.state, await work.faultAfterSuccess(name)]).toEqual([kind, 'succeeded', null]);
    await work.remove(name);
  }
  return seen;
}

/** Tries points until the given number of them hit a call. */
async function tryPoints(bench: Bench, wanted: number, random: Random): Promise<Outcome[]> {
  const seen = await countCalls(bench);
  console.log('calls without a fault:', JSON.stringify(seen));
  const outcomes: Outcome[] = [];
  let tried = 0;
  for (const point of drawPoints(random, seen)) {
    tried += 1;
    const outcome = await tryPoint(bench, point, `point-${tried}`).catch((error: unknown) =>
      failed(bench, point, error),
    );
    console.log(
      tried,
      nameOf(point),
      JSON.stringify(outcome.hits),
      '→',
      outcome.rest,
      outcome.faults.length === 0 ? '' : outcome.faults,
    );
    if (Object.keys(outcome.hits).length > 0 || outcome.faults.length > 0) outcomes.push(outcome);
    if (outcomes.length === wanted || tried > wanted * 3) break;
  }
  return outcomes;
}

/** Calls that failed, and mounts that were lost. */
const hits = new Map<string, number>();

describe.skipIf(refusal !== null)('D2, D3, D4, D5: the disk and the record agree', () => {
  it.each<LoopFileSystem>(['ext4', 'xfs'])(
    'after failed calls and lost mounts of a pool on %s',
    { timeout: 120_000 + points * 30_000 },
    async (kind) => {
      const random = createRandom(seedOfRun());
      const wanted = Math.ceil(points / 2);
      console.log(`${wanted} points on ${kind}, WCC_SEED=${random.seed}`);
      await withBench(kind, async (bench) => {
        const outcomes = await tryPoints(bench, wanted, random);
        for (const { hits: some } of outcomes)
          for (const [call, count] of Object.entries(some)) hits.set(call, (hits.get(call) ?? 0) + count);
        expect(outcomes).toHaveLength(wanted);
        expect(outcomes.filter(({ faults }) => faults.length > 0)).toEqual([]);
      });
    },
  );

  it('D5: a conversion whose last tables cannot be written pauses, although qemu-img exits with 0', async () => {
    await withBench('ext4', async (bench) => {
      for (const skip of [13, 14, 15]) {
        const point = { kind: 'convert', call: 'write', error: 'EDQUOT', skip, times: null } as const;
        const { rest, faults } = await tryPoint(bench, point, `tables-${skip}`);
        expect([skip, rest, faults]).toEqual([skip, 'paused quota', []]);
      }
    });
  });

  it('D5: an error of the data directory pauses the creation of a machine, and a cancel removes its disk', async () => {
    await withBench('ext4', async (bench) => {
      const { injector, server } = bench;
      const work = bench.works.create;
      const lasting = { errno: errnoOf('EIO'), skip: 0, times: null };
      const seed = { calls: ['open', 'unlink'] as const, path: `^${server.dataDir}/seeds/` };
      const definition = { calls: ['rename'] as const, path: `^${server.dataDir}/machines/` };
      for (const [name, where] of Object.entries({ seeded: seed, defined: definition, cancelled: seed })) {
        await injector.arm({ ...lasting, ...where });
        const id = await work.start(name);
        const { state, stateReason } = await waitForRest(bench, work, id);
        expect([state, stateReason?.code]).toEqual(['paused', 'io_error']);
        if (name === 'cancelled') {
          await server.api.cancel(id);
          await until(async () => hasEnded(await server.api.operation(id)), { what: 'the cancel' });
          expect(readdirSync(server.poolDir).filter((file) => file.startsWith(name))).toEqual([]);
        }
        expect((await injector.disarm()).hits).not.toEqual({});
        if (name !== 'cancelled') {
          expect((await settle(bench, work, id)).state).toBe('succeeded');
          expect(await work.faultAfterSuccess(name)).toBeNull();
          await work.remove(name);
        }
      }
    });
  });

  it('the injector has hit calls, in a full run every kind of them', () => {
    console.log(`hits: ${JSON.stringify(Object.fromEntries(hits))}`);
    // The server never asks the engine to preallocate.
    const called = families.filter((call) => call !== 'fallocate');
    const wanted = points >= 200 ? [...called, 'unmount'] : [...hits.keys()];
    expect(wanted.length).toBeGreaterThan(0);
    expect(wanted.filter((call) => (hits.get(call) ?? 0) === 0)).toEqual([]);
  });
});
