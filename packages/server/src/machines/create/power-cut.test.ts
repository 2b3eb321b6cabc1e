import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { MiB, startMachines, writeBootable } from '../machines.testkit.ts';

// Real machines run on a host that may be busy.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const isRoot = process.getuid?.() === 0;
if (!isRoot) console.log('skipped: a power cut needs a loop mount, which needs root');

/** Mounts the file system of this file, and unmounts it after the work. */
async function withMount<Result>(
  { file, directory }: { file: string; directory: string },
  work: () => Promise<Result> | Result,
): Promise<Result> {
  mkdirSync(directory);
  execFileSync('mount', ['-o', 'loop', file, directory]);
  try {
    return await work();
  } finally {
    execFileSync('umount', [directory]);
  }
}

it.skipIf(!isRoot)(
  'D21: after a power cut no other user can read a disk, even of a public template',
  async () => {
    const home = mkdtempSync(join(tmpdir(), 'wcc-cut-'));
    const [file, picture] = [join(home, 'disk'), join(home, 'picture')];
    writeFileSync(file, '');
    truncateSync(file, 64 * MiB);
    // The log is committed by syncs only, not by time.
    execFileSync('mkfs.ext4', ['-q', '-F', file]);
    try {
      await withMount({ file, directory: join(home, 'mnt') }, async () => {
        execFileSync('mount', ['-o', 'remount,commit=3600', join(home, 'mnt')]);
        const vms = await startMachines({ home: join(home, 'data'), poolDir: join(home, 'mnt', 'pool') });
        try {
          const template = join(vms.poolDir, 'template.raw');
          await writeBootable(template);
          chmodSync(template, 0o644);
          await vms.rescan();
          const { id: image } = await vms.image('template.raw');
          await vms.create({ name: 'web', disks: [{ kind: 'copy', image, method: 'copy' }] });
          copyFileSync(file, picture);
        } finally {
          await vms.close();
        }
      });
      const mode = await withMount(
        { file: picture, directory: join(home, 'after') },
        () => statSync(join(home, 'after', 'pool', 'web-disk0.raw')).mode,
      );
      expect((mode & 0o777).toString(8)).toBe('600');
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  },
);
