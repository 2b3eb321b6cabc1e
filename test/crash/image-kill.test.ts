import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Image, Operation } from '@wcc/api';
import { ApiProblem } from '@wcc/api/client';
import { fileHandler, startFileServer } from '../kit/network/file-server.ts';
import type { FileServer } from '../kit/network/file-server.ts';
import { assertSameDisk, checkQcow2, makeRandomImage, MiB, sha256 } from '../kit/images.ts';
import { findImage, hasEnded, registerImage, expectNoOrphans, waitForState } from '../kit/operations.ts';
import { until } from '../kit/poll.ts';
import { createRandom, seedOfRun } from '../kit/random.ts';
import { startServer } from '../kit/server.ts';
import type { TestServer } from '../kit/server.ts';
import { computeDigest } from '../kit/tus.ts';

/**
 * Kills the server by SIGKILL while an import, a conversion and a deletion run. After the restart each is complete or
 * has no effect, and has exactly one end. `WCC_CRASH_ROUNDS` sets the number of rounds.
 */
const rounds = Number.parseInt(process.env['WCC_CRASH_ROUNDS'] ?? '4', 10);
const random = createRandom(seedOfRun());

let server: TestServer;
let files: FileServer;
let disk: Image;
let diskHash: string;
const bytes = randomBytes(14 * MiB);
const digest = computeDigest(bytes).toString('hex');
const endings: string[] = [];

beforeAll(async () => {
  console.log(`${rounds} rounds, WCC_SEED=${random.seed}`);
  const args = ['--free-space-floor', '0', '--import-allow', '127.0.0.1', '--max-copies-per-pool', '4'];
  [server, files] = await Promise.all([startServer({ args }), startFileServer()]);
  await makeRandomImage(join(server.poolDir, 'disk.raw'), 48 * MiB);
  disk = await registerImage(server, 'disk.raw');
  diskHash = await sha256(join(server.poolDir, 'disk.raw'));
});
afterAll(async () => {
  await Promise.all([server.close(), files.close()]);
});

type Started = { operation: { id: string } };

/** @returns the id of the operation; null if the server was killed before its answer */
async function startOperation(delayMs: number, request: () => Promise<Started>): Promise<string | null> {
  await sleep(delayMs);
  try {
    return (await request()).operation.id;
  } catch (error) {
    if (!(error instanceof ApiProblem) || error.status !== 0) throw error;
    return null;
  }
}

/** Waits for the end of the operation on this name. @returns null if the server never accepted the operation */
async function waitForEnd(
  action: string,
  name: string,
  acknowledged: string | null,
): Promise<Operation | null> {
  const found = await until(
    async () => {
      const { items } = await server.api.operations({ action, limit: 200 });
      const one = items.find(({ subject, target }) => (target?.name ?? subject.name) === name);
      if (one === undefined) return 'none' as const;
      return hasEnded(one) ? one : null;
    },
    { what: `${action} of ${name} to end`, timeoutMs: 90_000, everyMs: 50 },
  );
  const operation = found === 'none' ? null : found;
  if (acknowledged !== null)
    expect(operation?.id, `${action}: the acknowledged operation exists`).toBe(acknowledged);
  endings.push(`${action}: ${operation?.state ?? 'not accepted'}`);
  if (operation !== null) await expectOneEnd(operation);
  return operation;
}

async function expectOneEnd({ id, action }: Operation): Promise<void> {
  const { items } = await server.api.operationLog(id);
  const ends = items.filter(({ kind, text }) => kind === 'state' && /^(succ|fail|cancelled)/.test(text));
  expect(ends.map(({ text }) => text)).toHaveLength(1);
  const audit = (await server.api.audit({ limit: 200 })).items;
  const endRows = audit.filter(
    ({ what, subject }) => what === `${action}.end` && subject === `operation:${id}`,
  );
  expect(endRows).toHaveLength(1);
}

async function expectImport(name: string, acknowledged: string | null): Promise<void> {
  const operation = await waitForEnd('import_image', name, acknowledged);
  const path = join(server.poolDir, name);
  if (operation === null) {
    expect([existsSync(path), await findImage(server, name)]).toEqual([false, undefined]);
    return;
  }
  expect(operation.error).toBeNull();
  expect(operation.state).toBe('succeeded');
  expect(await sha256(path)).toBe(digest);
  expect(await findImage(server, name)).toMatchObject({ id: operation.result?.id, sha256: digest });
}

async function expectConversion(
  name: string,
  acknowledged: string | null,
  wasCancelled: boolean,
): Promise<void> {
  const operation = await waitForEnd('convert_image', name, acknowledged);
  const path = join(server.poolDir, name);
  if (operation?.state !== 'succeeded') {
    expect([null, ...(wasCancelled ? ['cancelled'] : [])]).toContain(operation?.state ?? null);
    expect([existsSync(path), await findImage(server, name)]).toEqual([false, undefined]);
    return;
  }
  await checkQcow2(path);
  await assertSameDisk(path, join(server.poolDir, 'disk.raw'));
  expect(await findImage(server, name)).toMatchObject({ id: operation.result?.id, format: 'qcow2' });
}

async function expectDeletion(image: Image, acknowledged: string | null, content: string): Promise<void> {
  const operation = await waitForEnd('delete_image', image.name, acknowledged);
  const path = join(server.poolDir, image.name);
  if (operation === null) {
    expect(await sha256(path)).toBe(content);
    expect(await findImage(server, image.name)).toMatchObject({ id: image.id, state: 'ready' });
    return;
  }
  expect(operation.state).toBe('succeeded');
  expect([existsSync(path), await findImage(server, image.name)]).toEqual([false, undefined]);
}

it.each(Array.from({ length: rounds }, (_, round) => ({ round })))(
  'an import, a conversion and a deletion are complete or without effect after SIGKILL (round $round)',
  { timeout: 240_000 },
  async ({ round }) => {
    const names = {
      imported: `import-${round}.raw`,
      made: `made-${round}.qcow2`,
      deleted: `deleted-${round}.raw`,
    };
    const junk = randomBytes(3 * MiB);
    await writeFile(join(server.poolDir, names.deleted), junk);
    const deleted = await registerImage(server, names.deleted);
    const url = files.serve(
      `/${names.imported}`,
      fileHandler(bytes, { etag: '"it"', bytesPerSecond: 6 * MiB }),
    );
    const killAtMs = random.integer(200, 2600);
    const cancels = random.next() < 0.3;
    const beforeKill = (maxMs: number): number => Math.max(0, killAtMs - random.integer(0, maxMs));
    const importing = startOperation(0, () =>
      server.api.importImage({ url, name: names.imported, sha256: digest }),
    );
    const converting = startOperation(beforeKill(700), () =>
      server.api.convertImage(disk.id, { name: names.made, format: 'qcow2', compress: false }),
    );
    const deleting = startOperation(beforeKill(300), () => server.api.deleteImage(deleted.id));
    // The server may be killed before it answers, so any result is allowed.
    if (cancels) converting.then((id) => (id === null ? null : server.api.cancel(id))).catch(() => {});
    await sleep(killAtMs);
    await server.kill();
    const [imported, made, gone] = await Promise.all([importing, converting, deleting]);
    await server.start();
    await expectImport(names.imported, imported);
    await expectConversion(names.made, made, cancels);
    await expectDeletion(deleted, gone, computeDigest(junk).toString('hex'));
    expect(await sha256(join(server.poolDir, disk.name))).toBe(diskHash);
    const [pool] = (await server.api.pools()).items;
    expect(pool?.reservedBytes).toBe(0);
    for (const name of [names.imported, names.made]) {
      const image = await findImage(server, name);
      if (image === undefined) continue;
      const { operation } = await server.api.deleteImage(image.id);
      await waitForState(server, operation.id, { states: ['succeeded'] });
    }
  },
);

it('killed image operations leave no hidden file', { timeout: 90_000 }, async () => {
  console.log(endings.join(', '));
  await expectNoOrphans(server.poolDir);
});
