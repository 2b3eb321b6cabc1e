import { readFile, realpath, stat, statfs } from 'node:fs/promises';
import type { PathLike } from '../contract/types.ts';
import { toCopyError } from '../kernel/errno.ts';
import { showPath, toPathBytes } from './paths.ts';

interface Mount {
  point: string;
  fsType: string;
  source: string;
}

interface FreeSpace {
  freeBytes: number;
  totalBytes: number;
  freeInodes: number | null;
  fsType: string;
  blockDevice: string;
}

/**
 * Free and total space of the file system that a path belongs to.
 *
 * @returns `freeBytes` that an ordinary user can still use; the size `totalBytes`; `freeInodes`, the number of files that
 * can still be created, or null where the file system counts none, as btrfs; `fsType`, e.g. `ext4`, or `unknown`;
 * `blockDevice`, equal for all paths of one file system, subvolumes included
 * @throws CopyError
 */
export async function freeSpace(path: PathLike): Promise<FreeSpace> {
  const bytes = toPathBytes(path);
  try {
    const { bavail, blocks, bsize, files, ffree } = await statfs(bytes, { bigint: true });
    const mount = await findMount((await realpath(bytes, 'buffer')).toString());
    const device = mount?.source.startsWith('/') === true ? mount.source : `dev:${(await stat(bytes)).dev}`;
    return {
      freeBytes: Number(bavail * bsize),
      totalBytes: Number(blocks * bsize),
      freeInodes: files === 0n ? null : Number(ffree),
      fsType: mount?.fsType ?? 'unknown',
      blockDevice: device,
    };
  } catch (error) {
    throw toCopyError(error, { path: showPath(bytes) });
  }
}

/** The mount of a path. Its source is the same for all subvolumes of btrfs, which have different device numbers. */
async function findMount(path: string): Promise<Mount | null> {
  let table: string;
  try {
    table = await readFile('/proc/self/mountinfo', 'utf8');
  } catch {
    return null; // not Linux: the device number is used
  }
  let best: Mount | null = null;
  for (const line of table.split('\n')) {
    const mount = parseMount(line);
    if (mount === null || !isInside(path, mount.point)) continue;
    // a later mount covers an earlier one on the same point
    if (best === null || mount.point.length >= best.point.length) best = mount;
  }
  return best;
}

/** `36 35 98:0 /root /point rw,… shared:1 - ext4 /dev/sda1 rw`, see proc(5). */
function parseMount(line: string): Mount | null {
  const [head, tail] = line.split(' - ');
  const point = head?.split(' ')[4];
  const [fsType, source] = tail?.split(' ') ?? [];
  if (point === undefined || fsType === undefined || source === undefined) return null;
  return { point: unescape(point), fsType, source: unescape(source) };
}

function unescape(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}

function isInside(path: string, point: string): boolean {
  return point === '/' || path === point || path.startsWith(`${point}/`);
}
