import { execFile } from 'node:child_process';
import { closeSync, fsyncSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { mkdir, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { makeWorkspace } from './directories.ts';
import { MiB } from './images.ts';

const run = promisify(execFile);

export type LoopFileSystem = 'xfs' | 'btrfs' | 'ext4';

/** Why loop mounts are not possible on this host, or `null`. Skipped tests print the reason. */
export function loopMountSkipReason(): string | null {
  return process.getuid?.() === 0 ? null : 'loop mounts need root';
}

/** Makes a file system in a file, mounts it, runs `use` with the mount point, and always unmounts and removes it. */
export async function withLoopFileSystem<T>(
  kind: LoopFileSystem,
  sizeBytes: number,
  use: (mountPoint: string) => Promise<T>,
): Promise<T> {
  const workspace = makeWorkspace(`loop-${kind}`);
  const disk = join(workspace.path, 'disk');
  const mountPoint = join(workspace.path, 'mnt');
  let mounted = false;
  try {
    await writeFile(disk, '');
    await truncate(disk, sizeBytes);
    await mkdir(mountPoint);
    await run(`mkfs.${kind}`, [
      kind === 'ext4' ? '-F' : '-f',
      ...(kind === 'ext4' ? ['-m', '0'] : []),
      '-q',
      disk,
    ]);
    // `loop` sets autoclear, so the unmount also removes the loop device.
    await run('mount', ['-o', 'loop', disk, mountPoint]);
    mounted = true;
    return await use(mountPoint);
  } finally {
    // Unmounts lazily if busy, because a failed test may leave a process that ends a moment later.
    if (mounted) await run('umount', [mountPoint]).catch(() => run('umount', ['-l', mountPoint]));
    workspace.remove();
  }
}

/** Fills the disk up to `leaveBytes` of free space, like another program on the same disk. */
export function fillDisk(path: string, leaveBytes: number): void {
  const { bavail, bsize } = statfsSync(dirname(path));
  const file = openSync(path, 'w');
  try {
    const part = Buffer.alloc(MiB, 1);
    for (let remainingBytes = bavail * bsize - leaveBytes; remainingBytes > 0; remainingBytes -= part.length)
      writeSync(file, part);
  } catch (error) {
    // A concurrent writer may use the remaining space first.
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  } finally {
    closeSync(file);
  }
}

/** Takes every free byte of the disk. @returns a function that gives them back */
export function fillToTheLastByte(directory: string): () => void {
  const path = join(directory, 'junk');
  const file = openSync(path, 'a');
  try {
    for (const size of [MiB, 4096, 512]) writeUntilFull(file, Buffer.alloc(size, 1));
  } finally {
    closeSync(file);
  }
  return () => rmSync(path, { force: true });
}

function writeUntilFull(file: number, part: Buffer): void {
  try {
    for (;;) {
      if (writeSync(file, part) < part.length) return;
      // Delayed allocation counts blocks only when they are written.
      if (part.length < MiB) fsyncSync(file);
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}
