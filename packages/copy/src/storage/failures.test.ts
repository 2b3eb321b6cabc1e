import { execFileSync } from 'node:child_process';
import { existsSync, statSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { copyFile, kernelSupport, readCheckpoint } from '@wcc/copy';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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

const paths = kernelSupport().available ? (['auto', 'off'] as const) : (['off'] as const);
const movingCall = { auto: 'copy_file_range', off: 'pwrite64' } as const;

/** The reason why system calls cannot be made to fail here; null if they can. */
function whyNoStrace(): string | null {
  try {
    execFileSync('strace', ['-e', 'trace=none', 'true'], { stdio: 'ignore' });
    return null;
  } catch {
    return 'strace is not installed, or may not trace here';
  }
}

/** Command prefix under which the n-th call of a child fails, on any thread and also when koffi makes the call. */
function failingCall(call: string, error: string, when: string): string[] {
  const inject = `inject=${call}:error=${error}:when=${when}`;
  return ['strace', '-f', '--seccomp-bpf', '-qq', '-o', '/dev/null', '-e', `trace=${call}`, '-e', inject];
}

describe.each(['ext4', 'tmpfs'] as const)('a full %s', (type) => {
  const reason = whyNoMounts(type);
  if (reason !== null) {
    it.skip(`needs a mount (${reason})`);
    console.warn(`skipped: ${reason}`);
    return;
  }
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
    async (kernelCalls) => {
      writeRandom(join(dir(), 'too-big'), 80 * mib);
      const job = copyFile(join(dir(), 'too-big'), at('copy'), { kernelCalls, keepOnFailure: true });
      const error = await expectFailure(job, 'no_space');
      expect(error.message).toMatch(/needs 80 MiB, \d+ MiB free/);
      expect(error.resumable).toBe(false);
      expect(hiddenFilesIn(at(''))).toEqual([]);
    },
  );

  it.each(paths)(
    'rejects a copy that would leave less than freeSpaceFloorBytes, kernel calls %s',
    async (kernelCalls) => {
      const job = copyFile(source(), at('copy'), { kernelCalls, freeSpaceFloorBytes: 60 * mib });
      await expectFailure(job, 'no_space');
      expect(hiddenFilesIn(at(''))).toEqual([]);
    },
  );

  it.each(paths)(
    'stops the copy half-way and lets it resume once there is space, kernel calls %s',
    async (kernelCalls) => {
      const options = { id: 'full', kernelCalls, keepOnFailure: true, checkpoint: { bytes: 2 * mib } };
      const job = copyFile(source(), at('copy'), { ...options, bytesPerSecond: 4 * mib });
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
      const again = copyFile(source(), at('copy'), options);
      await again.done;
      expect(again.facts().resumedAtBytes).toBeGreaterThan(0);
      expectEqualFiles(source(), at('copy'));
      expect(hiddenFilesIn(at(''))).toEqual([]);
      unlinkSync(at('copy'));
    },
  );

  it.each(paths)('leaves no file without keepOnFailure, kernel calls %s', async (kernelCalls) => {
    const job = copyFile(source(), at('copy'), { kernelCalls, bytesPerSecond: 4 * mib });
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
    async (kernelCalls) => {
      const mounted = mountFresh('ext4', 16);
      try {
        writeRandom(join(mounted.directory, 'source'), mib);
        mounted.remount('ro');
        const job = copyFile(join(mounted.directory, 'source'), join(mounted.directory, 'copy'), {
          kernelCalls,
        });
        await expectFailure(job, 'read_only');
      } finally {
        mounted.unmount();
      }
    },
  );
});

describe('a system call that fails', () => {
  const reason = whyNoStrace();
  if (reason !== null) {
    it.skip(`needs strace (${reason})`);
    console.warn(`skipped: ${reason}`);
    return;
  }
  const dir = useDirectory();
  const at = (name: string): string => join(dir(), name);
  beforeAll(() => writeRandom(at('source'), 24 * mib));

  it.each(paths)(
    'reports the offset of an I/O error and leaves no file, kernel calls %s',
    async (kernelCalls) => {
      // 24 MiB are two windows with kernel calls, 24 buffers without
      const when = kernelCalls === 'auto' ? '2' : '20';
      const job = { source: at('source'), destination: at('copy'), options: { kernelCalls } };
      const end = await copyInChild(job, failingCall(movingCall[kernelCalls], 'EIO', when));
      expect(end.error).toMatchObject({ code: 'io_error', resumable: false });
      expect(end.error?.offset).toBeGreaterThan(0);
      expect(end.error?.offset).toBeLessThan(24 * mib);
      expect(hiddenFilesIn(dir())).toEqual([]);
    },
  );

  it.each(paths)(
    'resumes after an I/O error from the last durable offset, kernel calls %s',
    async (kernelCalls) => {
      const options = { id: 'eio', kernelCalls, keepOnFailure: true };
      const when = kernelCalls === 'auto' ? '2' : '20';
      const job = { source: at('source'), destination: at('copy'), options };
      const end = await copyInChild(job, failingCall(movingCall[kernelCalls], 'EIO', when));
      expect(end.error).toMatchObject({ code: 'io_error', resumable: true });
      const again = copyFile(at('source'), at('copy'), options);
      await again.done;
      expect(again.facts().resumedAtBytes).toBeGreaterThan(0);
      expectEqualFiles(at('source'), at('copy'));
      unlinkSync(at('copy'));
    },
  );

  it('keeps no partial after its first flush failed', async () => {
    const options = { id: 'flush', keepOnFailure: true, kernelCalls: 'off', checkpoint: { bytes: mib } };
    const job = { source: at('source'), destination: at('copy'), options };
    // the first flush fails, so there is no earlier checkpoint to keep
    const first = await copyInChild(job, failingCall('fdatasync', 'EIO', '1'));
    expect(first.error).toMatchObject({ code: 'io_error', resumable: false });
    expect(hiddenFilesIn(dir())).toEqual([]);
  });

  it.each([
    ['EDQUOT', 'quota'],
    ['ENOSPC', 'no_space'],
    ['EFBIG', 'too_large'],
    ['EROFS', 'read_only'],
    ['EACCES', 'permission'],
    ['ESTALE', 'io_error'],
  ])('a system call that fails with %s is reported as %s', async (errno, code) => {
    const job = { source: at('source'), destination: at('copy'), options: { kernelCalls: 'off' } };
    const end = await copyInChild(job, failingCall('pwrite64', errno, '3'));
    expect(end.error).toMatchObject({ code, offset: 2 * mib });
  });

  it('falls back to read and write when copy_file_range is refused', async () => {
    if (!kernelSupport().available) return;
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
    async (kernelCalls) => {
      const job = { source: at('source'), destination: at('copy'), options: { kernelCalls } };
      const end = await copyInChild(job, ['prlimit', `--fsize=${mib}`]);
      expect(end.error?.code).toBe('too_large');
      expect(hiddenFilesIn(dir())).toEqual([]);
    },
  );
});
