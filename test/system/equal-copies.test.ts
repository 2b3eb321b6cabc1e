import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Operation } from '@wcc/api';
import {
  checkQcow2,
  dataRanges,
  GiB,
  makeQcow2,
  makeRandomImage,
  makeSparseImage,
  MiB,
  sha256,
  sha256OfData,
} from '../kit/images.ts';
import { loopMountSkipReason, withLoopFileSystem } from '../kit/loop-mount.ts';
import { findImage, registerImage, waitForState } from '../kit/operations.ts';
import { startServer } from '../kit/server.ts';
import type { TestServer } from '../kit/server.ts';

// The documented promise is for 4 GiB. An ordinary run copies a quarter of that.
const randomBytes = process.env['WCC_FULL'] === '1' ? 4 * GiB : GiB;

async function copy(server: TestServer, from: string, to: string): Promise<Operation> {
  const image = await registerImage(server, from);
  const { operation } = await server.api.copyImage(image.id, { name: to });
  return waitForState(server, operation.id, { states: ['succeeded'], timeoutMs: 100_000 });
}

describe('a copy in the temporary directory', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.close());
  const inPool = (name: string): string => join(server.poolDir, name);

  it('a copy of a raw image with random data has the same SHA-256', async () => {
    await makeRandomImage(inPool('random.raw'), randomBytes);
    const operation = await copy(server, 'random.raw', 'random-copy.raw');
    expect(operation.bytes).toMatchObject({ virtual: randomBytes, data: randomBytes, skipped: 0 });
    expect(await sha256(inPool('random-copy.raw'))).toBe(await sha256(inPool('random.raw')));
    for (const name of ['random.raw', 'random-copy.raw']) rmSync(inPool(name));
  });

  it('a copy of a sparse 40 GiB image keeps the holes and does not count them as progress', async () => {
    await makeSparseImage(inPool('sparse.raw'), { virtualBytes: 40 * GiB, dataBytes: 64 * MiB });
    const operation = await copy(server, 'sparse.raw', 'sparse-copy.raw');
    expect(operation.bytes).toEqual({
      virtual: 40 * GiB,
      data: 64 * MiB,
      skipped: 40 * GiB - 64 * MiB,
      shared: operation.method === 'clone' ? 64 * MiB : 0,
      written: operation.method === 'clone' ? 0 : 64 * MiB,
    });
    expect(await dataRanges(inPool('sparse-copy.raw'))).toEqual(await dataRanges(inPool('sparse.raw')));
    expect(statSync(inPool('sparse-copy.raw')).size).toBe(40 * GiB);
    expect(await sha256OfData(inPool('sparse-copy.raw'))).toBe(await sha256OfData(inPool('sparse.raw')));
    const image = await findImage(server, 'sparse-copy.raw');
    expect(image).toMatchObject({ virtualSizeBytes: 40 * GiB, dataBytes: 64 * MiB, state: 'ready' });
  });

  it('a copy of a qcow2 image is equal, and qemu-img check finds no error', async () => {
    const raw = join(server.poolDir, '..', 'plain.raw');
    await makeSparseImage(raw, { virtualBytes: 512 * MiB, dataBytes: 48 * MiB });
    await makeQcow2(inPool('disk.qcow2'), raw);
    const operation = await copy(server, 'disk.qcow2', 'disk-copy.qcow2');
    expect(await sha256(inPool('disk-copy.qcow2'))).toBe(await sha256(inPool('disk.qcow2')));
    await checkQcow2(inPool('disk-copy.qcow2'));
    expect(await findImage(server, 'disk-copy.qcow2')).toMatchObject({
      id: operation.result?.id,
      format: 'qcow2',
      virtualSizeBytes: 512 * MiB,
      copiedFrom: operation.subject.id,
    });
  });
});

const refusal = loopMountSkipReason();
if (refusal !== null) console.log(`Skipped, clones on XFS and btrfs: ${refusal}.`);

describe.skipIf(refusal !== null)('a copy where the file system shares blocks', () => {
  it.each(['xfs', 'btrfs'] as const)('a copy on %s shares blocks and writes no data', async (kind) => {
    expect.hasAssertions();
    await withLoopFileSystem(kind, 2 * GiB, async (mountPoint) => {
      const poolDir = join(mountPoint, 'pool');
      const server = await startServer({ poolDir, args: ['--free-space-floor', '0'] });
      try {
        await makeRandomImage(join(poolDir, 'source.raw'), 512 * MiB);
        const operation = await copy(server, 'source.raw', 'clone.raw');
        expect(operation).toMatchObject({
          method: 'clone',
          bytes: { data: 512 * MiB, shared: 512 * MiB, written: 0 },
        });
        const transfer = operation.phases.find((phase) => phase.name === 'transfer');
        expect(transfer?.state ?? 'skipped').toBe('skipped');
        expect(await sha256(join(poolDir, 'clone.raw'))).toBe(await sha256(join(poolDir, 'source.raw')));
        // The test records the time. Only the benchmark judges it.
        const cloneMs = operation.phases.find((phase) => phase.name === 'clone')?.elapsedMs;
        console.log(`${kind}: 512 MiB shared in ${cloneMs} ms, operation ${operation.elapsedMs} ms`);
      } finally {
        await server.close();
      }
    });
  });

  it('a copy on xfs with method "copy" writes all data and reports that method', async () => {
    expect.hasAssertions();
    await withLoopFileSystem('xfs', GiB, async (mountPoint) => {
      const poolDir = join(mountPoint, 'pool');
      const server = await startServer({ poolDir, args: ['--free-space-floor', '0'] });
      try {
        await makeRandomImage(join(poolDir, 'source.raw'), 64 * MiB);
        const image = await registerImage(server, 'source.raw');
        const { operation } = await server.api.copyImage(image.id, { name: 'copy.raw', method: 'copy' });
        const end = await waitForState(server, operation.id, { states: ['succeeded'] });
        expect(end).toMatchObject({ bytes: { shared: 0, written: 64 * MiB } });
        expect(end.method).not.toBe('clone');
      } finally {
        await server.close();
      }
    });
  });
});
