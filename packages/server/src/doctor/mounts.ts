import { readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';

export interface Mount {
  point: string;
  fsType: string;
  /** `major:minor` of the device. */
  device: string;
  source: string;
  /** Options of the mount and of its file system. */
  options: readonly string[];
}

/** The mount that a path is in. */
export async function findMount(path: string, proc: string): Promise<Mount | null> {
  const real = await realpath(path);
  const table = await readFile(join(proc, 'self', 'mountinfo'), 'utf8');
  let best: Mount | null = null;
  for (const line of table.split('\n')) {
    const mount = parse(line);
    if (mount === null || !isInside(real, mount.point)) continue;
    // A later mount covers an earlier one on the same point.
    if (best === null || mount.point.length >= best.point.length) best = mount;
  }
  return best;
}

/** `36 35 98:0 /root /point rw,noatime shared:1 - ext4 /dev/sda1 rw,errors=continue`, see proc(5). */
function parse(line: string): Mount | null {
  const [head = '', tail = ''] = line.split(' - ');
  const [, , device, , point, options] = head.split(' ');
  const [fsType, source, ofFileSystem = ''] = tail.split(' ');
  if (device === undefined || point === undefined || fsType === undefined || source === undefined)
    return null;
  const all = new Set([...(options ?? '').split(','), ...ofFileSystem.split(',')]);
  return { point: unescape(point), fsType, device, source: unescape(source), options: [...all] };
}

function unescape(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCodePoint(Number.parseInt(octal, 8)),
  );
}

function isInside(path: string, point: string): boolean {
  return point === '/' || path === point || path.startsWith(`${point}/`);
}
