import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Image, Operation } from '@wcc/api';
import { ApiProblem } from '@wcc/api/client';
import { makeRandomImage, makeSparseImage, MiB, sha256 } from '../kit/images.ts';
import { expectNoOrphans, listImages, registerImage, waitForState } from '../kit/operations.ts';
import { until } from '../kit/poll.ts';
import { createRandom, seedOfRun } from '../kit/random.ts';
import { startServer } from '../kit/server.ts';
import type { TestServer } from '../kit/server.ts';

/**
 * Kills the server by SIGKILL at random moments of copies. After the restart every acknowledged copy resumes and
 * succeeds. `npm test` runs a twentieth of the rounds, `npm run test:crash` runs all of them.
 */
const rounds = Number.parseInt(process.env['WCC_CRASH_ROUNDS'] ?? '10', 10);
const random = createRandom(seedOfRun());

interface Source {
  image: Image;
  sizeBytes: number;
  hash: string;
}

interface Acknowledged {
  id: string;
  target: string;
  source: Source;
}

/** When a round kills the server. */
type Moment = 'at a random time' | 'after the rename' | 'after the answer' | 'during the restart';
const moments: readonly Moment[] = [
  'at a random time',
  'after the rename',
  'after the answer',
  'after the rename',
  'at a random time',
  'during the restart',
];

let server: TestServer;
const sources: Source[] = [];
const all: Acknowledged[] = [];
/** Copies killed between the rename to the final name and the end of their record. */
let killedAfterRename = 0;

beforeAll(async () => {
  console.log(`${rounds} rounds, WCC_SEED=${random.seed}`);
  server = await startServer({ args: ['--max-copies-per-pool', '4'] });
  for (const sizeMiB of [2, 64, 128]) await addSource(`source-${sizeMiB}.raw`, sizeMiB * MiB);
  const sparse = 'source-sparse.raw';
  await makeSparseImage(join(server.poolDir, sparse), { virtualBytes: 256 * MiB, dataBytes: 32 * MiB });
  await addSource(sparse, null);
});

afterAll(() => server.close());

async function addSource(name: string, randomBytes: number | null): Promise<void> {
  const path = join(server.poolDir, name);
  if (randomBytes !== null) await makeRandomImage(path, randomBytes);
  const image = await registerImage(server, name);
  sources.push({ image, sizeBytes: statSync(path).size, hash: await sha256(path) });
}

/** Requests copies until the server is killed. @returns the copies that the server acknowledged */
async function startCopies(
  round: number,
  wanted: number,
  onTarget?: (name: string) => void,
): Promise<Acknowledged[]> {
  const acknowledged: Acknowledged[] = [];
  for (let number = 0; number < wanted; number++) {
    const source = random.pick(sources);
    const target = `round-${round}-${number}.raw`;
    const bytesPerSecond = random.pick([null, 48 * MiB, 128 * MiB]);
    onTarget?.(target);
    try {
      const { operation } = await server.api.copyImage(source.image.id, {
        name: target,
        method: 'copy',
        bytesPerSecond,
        verify: random.next() < 0.2,
      });
      acknowledged.push({ id: operation.id, target, source });
    } catch (error) {
      // The kill came before the answer, so the server promised nothing.
      if (!(error instanceof ApiProblem) || error.status !== 0) throw error;
      break;
    }
  }
  return acknowledged;
}

/** Waits until one of the files has its final name: the moment between the rename and the end of the record. */
async function waitForFinalName(names: readonly string[]): Promise<void> {
  const exists = (name: string): boolean => existsSync(join(server.poolDir, name));
  const awaited = names.filter((name) => !exists(name));
  const deadline = performance.now() + 20_000;
  while (performance.now() < deadline) {
    if (awaited.length === 0 || awaited.some(exists)) return;
    // `setImmediate` instead of a timer, because the record may end within a millisecond after the rename.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function copyAndKill(round: number, moment: Moment): Promise<Acknowledged[]> {
  if (moment === 'after the answer') {
    const acknowledged = await startCopies(round, random.integer(1, 3));
    await server.kill();
    return acknowledged;
  }
  if (moment === 'after the rename') {
    const names: string[] = [];
    const starting = startCopies(round, random.integer(1, 3), (name) => names.push(name));
    const acknowledged = await starting;
    await waitForFinalName(names);
    await sleep(random.pick([0, 0, 0, 1, 2, 4, 8]));
    await server.kill();
    return acknowledged;
  }
  const delayMs = random.integer(0, 2500);
  const starting = startCopies(round, random.integer(1, 3));
  await sleep(delayMs);
  await server.kill();
  return starting;
}

/** Expects every file with a final name to be complete. Call it while no server runs. */
async function expectCompleteFiles(acknowledged: readonly Acknowledged[]): Promise<Acknowledged[]> {
  const published: Acknowledged[] = [];
  for (const copy of acknowledged) {
    const { target, source } = copy;
    const path = join(server.poolDir, target);
    if (!existsSync(path)) continue;
    published.push(copy);
    expect(statSync(path).size, `${target} under its final name`).toBe(source.sizeBytes);
    expect(await sha256(path), `${target} under its final name`).toBe(source.hash);
  }
  return published;
}

async function restart(moment: Moment): Promise<void> {
  if (moment === 'during the restart') {
    server.spawn();
    await sleep(random.integer(50, 1200));
    await server.kill();
  }
  await server.start();
}

async function expectSuccess({ id, target, source }: Acknowledged): Promise<void> {
  const operation = await waitForState(server, id, { states: ['succeeded'], timeoutMs: 90_000 });
  expect(await sha256(join(server.poolDir, target)), `${target} equals its source`).toBe(source.hash);
  const images = (await listImages(server)).filter((image) => image.name === target);
  expect(images.map((image) => image.id)).toEqual([operation.result?.id]);
  expect(images[0]?.state).toBe('ready');
  expect(await countEnds(operation), `ends in the log of ${id}`).toBe(1);
}

/** Counts the ends in the log of the operation. */
async function countEnds(operation: Operation): Promise<number> {
  const log = await server.api.operationLog(operation.id);
  return log.items.filter(
    (entry) => entry.kind === 'state' && /^(succeeded|failed|cancelled)/.test(entry.text),
  ).length;
}

/** Expects that every operation of the round succeeded, and that the pool contains exactly their files. */
async function expectNoneLost(round: number): Promise<void> {
  const ofRound = (name: string): boolean => name.startsWith(`round-${round}-`);
  const operations = (await readAll(({ cursor }) => server.api.operations({ limit: 200, ...cursor }))).filter(
    ({ target }) => ofRound(String(target?.name)),
  );
  expect(operations.map(({ state }) => state)).toEqual(operations.map(() => 'succeeded'));
  expect(readdirSync(server.poolDir).filter(ofRound).toSorted()).toEqual(
    operations.map(({ target }) => String(target?.name)).toSorted(),
  );
}

/** Frees the disk for the next round. */
function removeTargets(acknowledged: readonly Acknowledged[]): void {
  for (const { target } of acknowledged) rmSync(join(server.poolDir, target), { force: true });
}

it.each(Array.from({ length: rounds }, (_, round) => ({ round, moment: moments[round % moments.length]! })))(
  'acknowledged copies succeed after SIGKILL $moment (round $round)',
  { timeout: 240_000 },
  async ({ round, moment }) => {
    const acknowledged = await copyAndKill(round, moment);
    const published = await expectCompleteFiles(acknowledged);
    const killedAt = new Date().toISOString();
    await restart(moment);
    for (const copy of acknowledged) await expectSuccess(copy);
    all.push(...acknowledged);
    for (const { id } of published) {
      if (((await server.api.operation(id)).endedAt ?? '') > killedAt) killedAfterRename++;
    }
    // A copy whose answer was lost may still run; the server must complete it.
    await until(
      async () => (await server.api.operations({ state: 'queued,running,interrupted' })).items.length === 0,
      {
        what: 'the copies without an answer to end',
        timeoutMs: 60_000,
      },
    );
    await expectNoneLost(round);
    for (const name of readdirSync(server.poolDir)) {
      if (name.startsWith(`round-${round}-`)) rmSync(join(server.poolDir, name));
    }
    removeTargets(acknowledged);
  },
);

it('killed copies leave no hidden file 60 s after the last copy', { timeout: 90_000 }, async () => {
  await expectNoOrphans(server.poolDir);
});

it('every killed copy has one end in history and audit, and one image', async () => {
  console.log(
    `${all.length} copies acknowledged, ${killedAfterRename} killed between the rename and the end of the record`,
  );
  expect(all.length).toBeGreaterThanOrEqual(rounds / 2);
  const operations = await readAll(({ cursor }) => server.api.operations({ limit: 200, ...cursor }));
  expect(operations.filter(({ state }) => state !== 'succeeded')).toEqual([]);
  const ids = operations.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(all.filter(({ id }) => !ids.includes(id))).toEqual([]);
  const audit = await readAll(({ cursor }) => server.api.audit({ limit: 200, ...cursor }));
  const ends = audit.filter(({ what }) => what === 'copy_vm_image.end').map(({ subject }) => String(subject));
  expect(ends.toSorted()).toEqual(ids.map((id) => `operation:${id}`).toSorted());
  const names = (await listImages(server))
    .map(({ name }) => name)
    .filter((name) => name.startsWith('round-'));
  expect(names.toSorted()).toEqual(operations.map(({ target }) => String(target?.name)).toSorted());
});

/** Reads all pages of a list. */
async function readAll<Item>(
  fetchPage: (page: { cursor: { cursor?: string } }) => Promise<{ items: Item[]; next?: string | undefined }>,
): Promise<Item[]> {
  const items: Item[] = [];
  let cursor: { cursor?: string } = {};
  for (;;) {
    const page = await fetchPage({ cursor });
    items.push(...page.items);
    if (page.next === undefined) return items;
    cursor = { cursor: page.next };
  }
}
