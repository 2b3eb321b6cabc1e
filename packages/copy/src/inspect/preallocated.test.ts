import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, ftruncateSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { copyFile, inspectFile, startCopy, support } from '@wcc/copy';
import * as recovery from '@wcc/copy/recovery';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { killInMidCopy } from '../testkit/child.testkit.ts';
import {
  expectEqualFiles,
  expectFailure,
  hiddenFilesIn,
  kib,
  mib,
  waitFor,
} from '../testkit/files.testkit.ts';
import { mountFresh, whyNoMounts } from '../testkit/mounts.testkit.ts';
import type { Mounted } from '../testkit/mounts.testkit.ts';
import { isSkipped } from '../testkit/skip.testkit.ts';
import { allocateBehindEnd, dropPages, writeAllocated } from '../testkit/preallocated.testkit.ts';

/** Kills per file system. `WCC_CRASH_ROUNDS` is the number of all kills. */
const kills = Math.ceil(Number(process.env['WCC_CRASH_ROUNDS'] ?? 4) / 4);
const runs = Number(process.env['WCC_PROPERTY_RUNS'] ?? 4);
const page = 4 * kib;

/** Layouts in which about half of the gaps have allocated blocks. */
const layouts = fc.array(
  fc.record({
    gapBytes: fc.integer({ min: 0, max: 128 }).map((pages) => pages * page),
    isGapAllocated: fc.boolean(),
    dataBytes: fc.oneof(fc.integer({ min: 1, max: 64 * kib }), fc.constant(16 * page), fc.constant(0)),
  }),
  { minLength: 1, maxLength: 12 },
);

/** Blocks behind the end of the file, and how far the file then grows over them. */
const tails = fc.record({
  pages: fc.integer({ min: 1, max: 128 }),
  enlargedPages: fc.constantFrom(0, 1, 64),
});

/** Reads a whole file as a backup would. */
function readAll(path: string): void {
  execFileSync('sh', ['-c', 'cat "$0" > /dev/null', path]);
}

describe.each(['ext4', 'xfs', 'btrfs', 'tmpfs'] as const)('D1: a preallocated source on %s', (type) => {
  if (isSkipped(whyNoMounts(type) ?? support().why)) return;
  let mounted: Mounted | null = null;
  const directory = (): string => mounted?.directory ?? '';
  const at = (name: string): string => join(directory(), name);
  beforeAll(() => {
    mounted = mountFresh(type, 512);
  });
  afterAll(() => mounted?.unmount());

  /** 8 MiB of data in the middle of 96 MiB of allocated blocks. */
  const writeSource = (path: string): void => {
    writeAllocated(path, [
      { gapBytes: 16 * mib, isGapAllocated: true, dataBytes: 8 * mib },
      { gapBytes: 72 * mib, isGapAllocated: true, dataBytes: 0 },
    ]);
    dropPages(path);
  };

  it('has the same data bytes before and after a program has read it', async () => {
    writeSource(at('read'));
    const facts = await inspectFile(at('read'));
    expect(facts.dataBytes).toBe(8 * mib);
    readAll(at('read'));
    expect(await inspectFile(at('read'))).toMatchObject({
      dataBytes: facts.dataBytes,
      extentCount: facts.extentCount,
    });
    rmSync(at('read'));
  });

  it('a copy writes the data bytes of its inspection, has a valid checkpoint, and is recognized as published', async () => {
    writeSource(at('source'));
    const options = { id: 'whole', method: 'copy', keepSidecar: true, checkpoint: { bytes: mib } } as const;
    const { bytes } = await startCopy(at('source'), at('copy'), options).done;
    expect(bytes).toMatchObject({ data: 8 * mib, written: 8 * mib, skipped: 88 * mib });
    expect(await recovery.readCheckpoint(directory(), 'whole')).toMatchObject({ phase: 'publishing' });
    expect(await recovery.settle(directory(), 'whole', 'copy')).toBe('published');
    expectEqualFiles(at('source'), at('copy'));
    for (const name of ['source', 'copy', '.wcc-whole.json']) rmSync(at(name));
  });

  it('a suspended copy resumes at its checkpoint after a program has read the source', async () => {
    writeSource(at('source'));
    const options = { id: 'resumed', method: 'copy', verify: true } as const;
    const first = startCopy(at('source'), at('copy'), { ...options, bytesPerSecond: 8 * mib });
    await waitFor('some windows are copied', () => first.progress().doneBytes > mib);
    first.suspend();
    await expectFailure(first, 'suspended');
    readAll(at('source'));
    expect(await recovery.settle(directory(), 'resumed', 'copy')).toBe('resumable');
    const again = startCopy(at('source'), at('copy'), options);
    const { bytes } = await again.done;
    expect(again.facts().resumedAtBytes).toBeGreaterThan(0);
    expect(bytes).toMatchObject({ data: 8 * mib, written: 8 * mib });
    expectEqualFiles(at('source'), at('copy'));
    for (const name of ['source', 'copy']) rmSync(at(name));
  });

  it('copies any layout of holes, allocated gaps and data, and writes no more than it announced', async () => {
    let round = 0;
    const property = fc.asyncProperty(
      layouts,
      fc.option(tails),
      fc.boolean(),
      async (pieces, tail, isRead) => {
        const name = `layout-${(round += 1)}`;
        writeAllocated(at(name), pieces);
        if (tail)
          allocateBehindEnd(at(name), { bytes: tail.pages * page, enlargedBytes: tail.enlargedPages * page });
        dropPages(at(name));
        const { dataBytes } = await inspectFile(at(name));
        if (isRead) readAll(at(name));
        const { bytes } = await copyFile(at(name), at(`${name}-copy`), { method: 'copy', verify: true });
        expect(bytes.written).toBe(dataBytes);
        expect(bytes.data + bytes.skipped).toBe(bytes.virtual);
        expectEqualFiles(at(name), at(`${name}-copy`));
        for (const path of [at(name), at(`${name}-copy`)]) rmSync(path);
      },
    );
    await fc.assert(property, { numRuns: runs });
  });

  it('copies data that was written into allocated blocks a moment ago', async () => {
    writeAllocated(at('fresh'), [{ gapBytes: 32 * mib, isGapAllocated: true, dataBytes: 0 }]);
    const writer = openSync(at('fresh'), 'r+');
    for (let offset = 0; offset < 32 * mib; offset += 5 * mib)
      writeSync(writer, Buffer.alloc(64 * kib, 7), 0, 64 * kib, offset);
    closeSync(writer);
    const { bytes } = await copyFile(at('fresh'), at('fresh-copy'), { method: 'copy' });
    expect(bytes.written).toBeGreaterThanOrEqual(7 * 64 * kib);
    expectEqualFiles(at('fresh'), at('fresh-copy'));
    for (const name of ['fresh', 'fresh-copy']) rmSync(at(name));
  });

  it('writes no more than announced of a file with speculative preallocation', async () => {
    const writer = openSync(at('appended'), 'w');
    for (let offset = 0; offset < 9 * mib; offset += 512 * kib)
      writeSync(writer, Buffer.alloc(512 * kib, 3), 0, 512 * kib, offset);
    ftruncateSync(writer, 64 * mib); // what was allocated behind the end is inside of the file now
    const { dataBytes } = await inspectFile(at('appended'));
    readAll(at('appended'));
    const { bytes } = await copyFile(at('appended'), at('appended-copy'), { method: 'copy' });
    closeSync(writer);
    expect(bytes.written).toBeLessThanOrEqual(dataBytes);
    expectEqualFiles(at('appended'), at('appended-copy'));
    for (const name of ['appended', 'appended-copy']) rmSync(at(name));
  });

  it.each(['raw', 'qcow2'])('copies a %s image of qemu-img with preallocation=falloc', async (format) => {
    const path = at(`disk.${format}`);
    const create = ['create', '-q', '-f', format, '-o', 'preallocation=falloc', path, '128M'];
    execFileSync('qemu-img', create, { stdio: 'pipe' });
    dropPages(path);
    const { dataBytes } = await inspectFile(path);
    expect(dataBytes).toBeLessThan(mib);
    const options = { id: 'qemu', method: 'copy', keepSidecar: true } as const;
    const { bytes } = await startCopy(path, at('copy'), options).done;
    expect(bytes.written).toBe(dataBytes);
    expect(await recovery.settle(directory(), 'qemu', 'copy')).toBe('published');
    expectEqualFiles(path, at('copy'));
    for (const name of [path, at('copy'), at('.wcc-qemu.json')]) rmSync(name);
  });

  it(
    `a kill -9 at a random moment leaves a whole file or a resumable copy, ${kills} times`,
    { timeout: 60_000 + kills * 5000 },
    async () => {
      writeAllocated(
        at('kill'),
        Array.from({ length: 6 }, () => ({ gapBytes: 12 * mib, isGapAllocated: true, dataBytes: 4 * mib })),
      );
      for (let round = 0; round < kills; round += 1) {
        const id = `kill-${round}`;
        const target = at(id);
        dropPages(at('kill'));
        const options = {
          id,
          method: 'copy',
          keepSidecar: true,
          checkpoint: { bytes: mib },
          bytesPerSecond: 100 * mib,
        } as const;
        await killInMidCopy({ source: at('kill'), target, options }, Math.random() * 280);
        if (round % 2 === 1) readAll(at('kill'));
        if (existsSync(target)) expectEqualFiles(at('kill'), target);
        const state = await recovery.settle(directory(), id, id);
        expect(existsSync(target)).toBe(state === 'published');
        const checkpoint = await recovery.readCheckpoint(directory(), id);
        const sidecar = at(`.wcc-${id}.json`);
        // A checkpoint that a copy has written can be read.
        if (existsSync(sidecar)) expect(checkpoint, readFileSync(sidecar, 'utf8')).not.toBeNull();
        const job = startCopy(at('kill'), target, { ...options, bytesPerSecond: null });
        const { bytes } = await job.done;
        expect(bytes.data).toBe(24 * mib);
        if (state === 'resumable') expect(job.facts().resumedAtBytes).toBe(Number(checkpoint?.doneBytes));
        expectEqualFiles(at('kill'), target);
        await recovery.remove(directory(), id);
        rmSync(target);
      }
      rmSync(at('kill'));
      expect(hiddenFilesIn(directory())).toEqual([]);
    },
  );
});
