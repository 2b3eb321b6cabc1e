import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type MountType = 'ext4' | 'xfs' | 'btrfs' | 'tmpfs';

export interface Mounted {
  directory: string;
  /** The file that contains the file system; tmpfs has none. */
  image: string;
  remount(options: string): void;
  unmount(): void;
}

const mib = 1024 ** 2;
const makers: Readonly<Record<Exclude<MountType, 'tmpfs'>, readonly string[]>> = {
  ext4: ['mkfs.ext4', '-q', '-m', '0'],
  xfs: ['mkfs.xfs', '-q', '-m', 'reflink=1'],
  btrfs: ['mkfs.btrfs', '-q'],
};

/** The reason why loop mounts are not possible here; null if they are. Tests that need mounts print it. */
export function whyNoMounts(type: MountType): string | null {
  if (process.getuid?.() !== 0) return `${type} mount: needs root`;
  if (type === 'tmpfs') return null;
  const [maker = ''] = makers[type];
  try {
    execFileSync('sh', ['-c', `command -v ${maker}`], { stdio: 'ignore' });
    return null;
  } catch {
    return `${type} mount: ${maker} is not installed`;
  }
}

/** Creates a file system in a sparse file below `parent` and mounts it. Unmounting also frees the loop device. */
export function mountFresh(type: MountType, sizeMib: number, parent: string = tmpdir()): Mounted {
  const base = mkdtempSync(join(parent, `wcc-copy-${type}-`));
  const directory = join(base, 'mount');
  const image = join(base, 'image');
  mkdirSync(directory);
  try {
    if (type === 'tmpfs') {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeMib}m`, 'tmpfs', directory]);
    } else {
      writeFileSync(image, '');
      truncateSync(image, sizeMib * mib);
      const [maker = '', ...args] = makers[type];
      execFileSync(maker, [...args, image], { stdio: 'pipe' });
      execFileSync('mount', ['-o', 'loop', image, directory]);
    }
  } catch (error) {
    rmSync(base, { recursive: true, force: true });
    throw error;
  }
  return {
    directory,
    image,
    remount: (options) => {
      execFileSync('mount', ['-o', `remount,${options}`, directory]);
    },
    unmount: () => {
      execFileSync('umount', [directory]);
      rmSync(base, { recursive: true, force: true });
    },
  };
}
