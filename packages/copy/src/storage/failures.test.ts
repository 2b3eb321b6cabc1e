import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startCopy, support } from '@wcc/copy';
import { renameExclusively } from '@wcc/copy/receive';
import { readCheckpoint } from '@wcc/copy/recovery';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { copyInChild } from '../testkit/child.testkit.ts';
import {
  expectEqualFiles,
  expectFailure,
  mib,
  hiddenFilesIn,
  useDirectory,
  waitUntilTransferring,
  writeRandom,
} from '../testkit/files.testkit.ts';
import { mountFresh, whyNoMounts } from '../testkit/mounts.testkit.ts';
import type { Mounted } from '../testkit/mounts.testkit.ts';
import { isSkipped } from '../testkit/skip.testkit.ts';
import { failingCalls, whyNoStrace } from '../testkit/strace.testkit.ts';

const paths = support().available ? (['auto', 'off'] as const) : (['off'] as const);
const movingCall = { auto: 'copy_file_range', off: 'pwrite64' } as const;

/** Command prefix under which the n-th call of a child fails. */
function failingCall(call: string, error: string, when: string): string[] {
  return failingCalls([`${call}:error=${error}:when=${when}`]);
}

describe.each(['ext4', 'tmpfs'] as const)('a full %s', (type) => {
  if (isSkipped(whyNoMounts(type))) return;
  const dir = useDirectory();
  const source = (): string => join(dir(), 'source');
  let mounted: Mounted | null = null;
  const at = (name: string): string => join(mounted?.directory ?? '', name);
  beforeAll(() => {
    mounted = mountFresh(type, 64);
    writeRandom(source(), 24 * mib);
  });
  afterAll(() => mounted?.unmount());

  it.each(paths)(
    'rejects a copy that does not fit before its first byte, with the numbers, kernel calls %s',
    async (native) => {
      writeRandom(join(dir(), 'too-big'), 80 * mib);
      const job = startCopy(join(dir(), 'too-big'), at('copy'), { native, keepPartial: true });
      const error = await expectFailure(job, 'no_space');
      expect(error.message).toMatch(/needs 80 MiB, \d+ MiB free/);
      expect(error.resumable).toBe(false);
      expect(hiddenFilesIn(at(''))).toEqual([]);
    },
  );

  it.each(paths)(
    'rejects a copy that would leave less than minFreeBytes, kernel calls %s',
    async (native) => {
      const job = startCopy(source(), at('copy'), { native, minFreeBytes: 60 * mib });
      await expectFailure(job, 'no_space');
      expect(hiddenFilesIn(at(''))).toEqual([]);
    },
  );

  it.each(paths)(
    'stops the copy half-way and lets it resume once there is space, kernel calls %s',
    async (native) => {
      const options = { id: 'full', native, keepPartial: true, checkpoint: { bytes: 2 * mib } };
      const job = startCopy(source(), at('copy'), { ...options, bytesPerSecond: 4 * mib });
      await waitUntilTransferring(job);
      job.pause();
      fillUp(at('filler'));
      job.setLimit(null);
      job.resume();
      const error = await expectFailure(job, 'no_space');
      expect(error.resumable).toBe(true);
      expect(existsSync(at('copy'))).toBe(false);
      expect(await readCheckpoint(at(''), 'full')).not.toBeNull();
      unlinkSync(at('filler'));
      const again = startCopy(source(), at('copy'), options);
      await again.done;
      expect(again.facts().resumedAtBytes).toBeGreaterThan(0);
      expectEqualFiles(source(), at('copy'));
      expect(hiddenFilesIn(at(''))).toEqual([]);
      unlinkSync(at('copy'));
    },
  );

  it.each(paths)('leaves no file without keepPartial, kernel calls %s', async (native) => {
    const job = startCopy(source(), at('copy'), { native, bytesPerSecond: 4 * mib });
    await waitUntilTransferring(job);
    fillUp(at('filler'));
    job.setLimit(null);
    await expectFailure(job, 'no_space');
    expect(hiddenFilesIn(at(''))).toEqual([]);
    unlinkSync(at('filler'));
  });
});

/** Fills the file system. dd fails when it is full, which is expected. */
function fillUp(path: string): void {
  execFileSync('sh', [
    '-c',
    `dd if=/dev/zero of='${path}' bs=64k status=none 2>/dev/null; sync -f '${path}'`,
  ]);
}

describe('a read-only file system', () => {
  const reason = whyNoMounts('ext4');
  it.skipIf(reason !== null).each(paths)(
    `rejects a copy to a read-only file system (${reason ?? 'mounted'}), kernel calls %s`,
    async (native) => {
      const mounted = mountFresh('ext4', 16);
      try {
        writeRandom(join(mounted.directory, 'source'), mib);
        mounted.remount('ro');
        const job = startCopy(join(mounted.directory, 'source'), join(mounted.directory, 'copy'), {
          native,
        });
        await expectFailure(job, 'read_only');
      } finally {
        mounted.unmount();
      }
    },
  );
});

describe('a system call that fails', () => {
  if (isSkipped(whyNoStrace())) return;
  const dir = useDirectory();
  const at = (name: string): string => join(dir(), name);
  beforeAll(() => writeRandom(at('source'), 24 * mib));

  it.each(paths)('reports the offset of an I/O error and leaves no file, kernel calls %s', async (native) => {
    // 24 MiB are two windows with kernel calls, 24 buffers without
    const when = native === 'auto' ? '2' : '20';
    const job = { source: at('source'), destination: at('copy'), options: { native } };
    const end = await copyInChild(job, failingCall(movingCall[native], 'EIO', when));
    expect(end.error).toMatchObject({ code: 'io_error', resumable: false });
    expect(end.error?.offset).toBeGreaterThan(0);
    expect(end.error?.offset).toBeLessThan(24 * mib);
    expect(hiddenFilesIn(dir())).toEqual([]);
  });

  it.each(paths)(
    'resumes after an I/O error from the last durable offset, kernel calls %s',
    async (native) => {
      const options = { id: 'eio', native, keepPartial: true };
      const when = native === 'auto' ? '2' : '20';
      const job = { source: at('source'), destination: at('copy'), options };
      const end = await copyInChild(job, failingCall(movingCall[native], 'EIO', when));
      expect(end.error).toMatchObject({ code: 'io_error', resumable: true });
      const again = startCopy(at('source'), at('copy'), options);
      await again.done;
      expect(again.facts().resumedAtBytes).toBeGreaterThan(0);
      expectEqualFiles(at('source'), at('copy'));
      unlinkSync(at('copy'));
    },
  );

  it('keeps no partial after its first flush failed', async () => {
    const options = { id: 'flush', keepPartial: true, native: 'off', checkpoint: { bytes: mib } };
    const job = { source: at('source'), destination: at('copy'), options };
    // the first flush fails, so there is no earlier checkpoint to keep
    const first = await copyInChild(job, failingCall('fdatasync', 'EIO', '1'));
    expect(first.error).toMatchObject({ code: 'io_error', resumable: false });
    expect(hiddenFilesIn(dir())).toEqual([]);
  });

  it('D21: an I/O error of copy_file_range names the source if the source cannot be read', async () => {
    if (!support().available) return;
    const job = { source: at('source'), destination: at('copy'), options: { method: 'copy' } };
    // The first read proves the size of the source.
    const both = failingCalls(['copy_file_range:error=EIO', 'pread64:error=EIO:when=2+'], [at('source')]);
    expect((await copyInChild(job, both)).error).toMatchObject({
      code: 'io_error',
      message: expect.stringContaining(at('source')) as string,
    });
    const one = await copyInChild(job, failingCalls(['copy_file_range:error=EIO'], [at('source')]));
    expect(one.error).toMatchObject({
      code: 'io_error',
      message: expect.stringContaining(at('copy')) as string,
    });
  });

  it.each([
    ['EDQUOT', 'quota'],
    ['ENOSPC', 'no_space'],
    ['EFBIG', 'too_large'],
    ['EROFS', 'read_only'],
    ['EACCES', 'permission'],
    ['ESTALE', 'io_error'],
  ])('a system call that fails with %s is reported as %s', async (errno, code) => {
    const job = { source: at('source'), destination: at('copy'), options: { native: 'off' } };
    const end = await copyInChild(job, failingCall('pwrite64', errno, '3'));
    expect(end.error).toMatchObject({ code, offset: 2 * mib });
  });

  it('falls back to read and write when copy_file_range is refused', async () => {
    if (!support().available) return;
    const job = { source: at('source'), destination: at('copy') };
    const end = await copyInChild(job, failingCall('copy_file_range', 'EXDEV', '1+'));
    expect(end.ok).toBe(true);
    expectEqualFiles(at('source'), at('copy'));
    unlinkSync(at('copy'));
  });

  it('publishes by link when renameat2 is refused', async () => {
    const job = { source: at('source'), destination: at('copy') };
    const end = await copyInChild(job, failingCall('renameat2', 'EINVAL', '1+'));
    expect(end.ok).toBe(true);
    expect(statSync(at('copy')).nlink).toBe(1);
    expect(hiddenFilesIn(dir())).toEqual([]);
    unlinkSync(at('copy'));
  });

  it.each(paths)(
    'a file size limit is reported before SIGXFSZ would end the process, kernel calls %s',
    async (native) => {
      const job = { source: at('source'), destination: at('copy'), options: { native } };
      const end = await copyInChild(job, ['prlimit', `--fsize=${mib}`]);
      expect(end.error?.code).toBe('too_large');
      expect(hiddenFilesIn(dir())).toEqual([]);
    },
  );
});

describe('an exclusive rename to another file system', () => {
  if (isSkipped(whyNoMounts('tmpfs'))) return;

  it('keeps both files, although they have the same inode number', () => {
    const [from = '', to = ''] = ['from', 'to'].map((content) => {
      const fresh = mountFresh('tmpfs', 1);
      onTestFinished(() => fresh.unmount());
      writeFileSync(join(fresh.directory, 'file'), content);
      return join(fresh.directory, 'file');
    });
    expect(statSync(to).ino).toBe(statSync(from).ino);
    const crossing = expect.objectContaining({ code: 'cross_device' }) as Error;
    expect(() => renameExclusively(from, to)).toThrow(crossing);
    expect([from, to].map((path) => readFileSync(path, 'utf8'))).toEqual(['from', 'to']);
  });
});
