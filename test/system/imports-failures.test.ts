import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Operation } from '@wcc/api';
import { fileHandler, startFileServer } from '../kit/network/file-server.ts';
import type { FileServer } from '../kit/network/file-server.ts';
import { MiB } from '../kit/images.ts';
import { loopMountSkipReason, fillDisk, withLoopFileSystem } from '../kit/loop-mount.ts';
import { currentPhase, findImage, expectNoOrphans, waitForState } from '../kit/operations.ts';
import { until } from '../kit/poll.ts';
import { startServer } from '../kit/server.ts';
import type { TestServer } from '../kit/server.ts';
import { computeDigest } from '../kit/tus.ts';

/** Imports when the server stops, crashes, or finds a full disk. */
const args = ['--free-space-floor', '0', '--import-allow', '127.0.0.1', '--max-copies-per-pool', '4'];

let server: TestServer;
let files: FileServer;
beforeAll(async () => {
  [server, files] = await Promise.all([startServer({ args }), startFileServer()]);
});
afterAll(async () => {
  await Promise.all([server.close(), files.close()]);
});

const hexOf = (bytes: Buffer): string => computeDigest(bytes).toString('hex');

/** Waits until this many bytes are durable. */
async function untilDurable(on: TestServer, { id }: Operation, bytes: number): Promise<number> {
  return until(
    async () => {
      const phase = currentPhase(await on.api.operation(id));
      return phase?.name === 'receive' && phase.durable >= bytes ? phase.durable : null;
    },
    { what: `${bytes} bytes to be durable` },
  );
}

/** Serves a file in six seconds, with a durable point every two seconds. A resumed import completes soon. */
function serveSlowly(path: string, bytes: Buffer, slowRequests = 1): string {
  const slow = fileHandler(bytes, { etag: '"it"', bytesPerSecond: bytes.length / 6 });
  const fast = fileHandler(bytes, { etag: '"it"' });
  return files.serve(path, (response, asked) => (asked.number < slowRequests ? slow : fast)(response, asked));
}

/** Expects that the import kept its durable bytes, fetched the rest by one request, and completed the image. */
async function expectResumed(operation: Operation, bytes: Buffer, durable: number): Promise<void> {
  const { name } = operation.subject;
  await waitForState(server, operation.id, { states: ['succeeded'] });
  expect(readFileSync(join(server.poolDir, name)).equals(bytes)).toBe(true);
  expect(await findImage(server, name)).toMatchObject({ sha256: hexOf(bytes), state: 'ready' });
  const [, second, ...more] = files.requestsFor(`/${name}`);
  expect(second?.fromByte).toBeGreaterThanOrEqual(durable);
  expect(more).toEqual([]);
}

describe('an import when wcc stops', () => {
  it('an import resumes at its durable point after SIGTERM', async () => {
    const bytes = randomBytes(12 * MiB);
    const url = serveSlowly('/stopped.raw', bytes);
    const { operation } = await server.api.importImage({ url, name: 'stopped.raw', sha256: hexOf(bytes) });
    await until(async () => (currentPhase(await server.api.operation(operation.id))?.done ?? 0) >= 2 * MiB, {
      what: 'the first bytes',
    });
    await server.stop();
    await server.start();
    // A graceful stop makes all received bytes durable.
    await expectResumed(operation, bytes, 2 * MiB);
    await expectNoOrphans(server.poolDir);
  });

  it('an import resumes after SIGKILL; without its URL, or after a cancel, it ends and leaves no file', async () => {
    const bytes = randomBytes(12 * MiB);
    const start = async (name: string, query = ''): Promise<Operation> => {
      const url = `${serveSlowly(`/${name}`, bytes)}${query}`;
      return (await server.api.importImage({ url, name, sha256: hexOf(bytes) })).operation;
    };
    const signed = await start('signed.raw', '?token=secret');
    const cancelled = await start('cancelled.raw');
    const killed = await start('killed.raw');
    const durable = await untilDurable(server, killed, MiB);
    await server.api.cancel(cancelled.id);
    await server.kill();
    await server.start();
    // The progress is never below the durable point, from the first answer.
    const after = await server.api.operation(killed.id);
    if (after.state !== 'succeeded') expect(currentPhase(after)?.done).toBeGreaterThanOrEqual(durable);
    const { error } = await waitForState(server, signed.id, { states: ['failed'] });
    expect(error).toMatchObject({
      code: 'import_failed',
      hint: expect.stringContaining('again with the complete address') as string,
    });
    await waitForState(server, cancelled.id, { states: ['cancelled'] });
    await expectResumed(killed, bytes, durable);
    for (const { id, subject } of [signed, cancelled]) {
      expect(await findImage(server, subject.name)).toBeUndefined();
      const { items } = await server.api.operationLog(id);
      const ends = items.filter(({ kind, text }) => kind === 'state' && /^(failed|cancelled)/.test(text));
      expect(ends).toHaveLength(1);
    }
    await expectNoOrphans(server.poolDir);
  });
});

const refusal = loopMountSkipReason();
if (refusal !== null) console.log(`Skipped, full disk: ${refusal}.`);

describe.skipIf(refusal !== null)('an import on a full disk', () => {
  it('an import waits on a full disk, before its first byte and later, and resumes when space is free', async () => {
    expect.hasAssertions();
    await withLoopFileSystem('ext4', 128 * MiB, async (mountPoint) => {
      const small = await startServer({ poolDir: join(mountPoint, 'pool'), args });
      try {
        const bytes = randomBytes(24 * MiB);
        const junk = join(mountPoint, 'junk');
        // The first request ends before its first byte, because space is missing.
        const url = serveSlowly('/full.raw', bytes, 2);
        fillDisk(junk, 16 * MiB);
        const { operation } = await small.api.importImage({ url, name: 'full.raw', sha256: hexOf(bytes) });
        const waiting = await waitForState(small, operation.id, { states: ['paused'] });
        expect(waiting.stateReason).toMatchObject({ code: 'no_space' });
        rmSync(junk);
        const durable = await untilDurable(small, operation, MiB);
        fillDisk(junk, 2 * MiB);
        const full = await waitForState(small, operation.id, { states: ['paused'] });
        expect(full.stateReason).toMatchObject({ code: 'no_space' });
        // The import waits for the missing bytes, not for the size of the whole file.
        expect(Number(full.stateReason?.params?.['needs'])).toBeLessThanOrEqual(bytes.length - durable);
        rmSync(junk);
        await waitForState(small, operation.id, { states: ['succeeded'] });
        expect(readFileSync(join(small.poolDir, 'full.raw')).equals(bytes)).toBe(true);
        expect(files.requestsFor('/full.raw').at(-1)?.fromByte).toBeGreaterThanOrEqual(durable);
        await expectNoOrphans(small.poolDir);
      } finally {
        await small.close();
      }
    });
  });

  it('an import of unknown length does not use reserved space', async () => {
    expect.hasAssertions();
    await withLoopFileSystem('ext4', 96 * MiB, async (mountPoint) => {
      const floor = ['--free-space-floor', String(32 * MiB), '--import-allow', '127.0.0.1'];
      const small = await startServer({ poolDir: join(mountPoint, 'pool'), args: floor });
      try {
        const piece = Buffer.alloc(MiB, 7);
        // The file is larger than the disk and arrives at 24 MiB/s.
        const url = files.serve('/endless.raw', (response) => {
          const timer = setInterval(() => response.writableNeedDrain || response.write(piece), 40);
          response.on('close', () => clearInterval(timer));
        });
        const { operation } = await small.api.importImage({ url, name: 'endless.raw' });
        await waitForState(small, operation.id, { states: ['paused'] });
        const { bavail, bsize } = statfsSync(mountPoint);
        expect(bavail * bsize).toBeGreaterThan(30 * MiB);
        await small.api.cancel(operation.id);
        await waitForState(small, operation.id, { states: ['cancelled'] });
        await expectNoOrphans(small.poolDir);
      } finally {
        await small.close();
      }
    });
  });
});
