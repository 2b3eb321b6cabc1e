import { readFile, readdir, readlink, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * The process that holds a lock of flock(2) on a file: null for none, 0 for one that is not visible here. It reads
 * the kernel's table, because trying the lock could stop a server that starts at the same moment.
 */
export async function findLockHolder(path: string, proc: string): Promise<number | null> {
  const facts = await stat(path, { bigint: true }).catch(() => null);
  if (facts === null) return null;
  const table = await readFile(join(proc, 'locks'), 'utf8');
  const device = `${hex(major(facts.dev))}:${hex(minor(facts.dev))}`;
  for (const line of table.split('\n')) {
    // `1: FLOCK  ADVISORY  WRITE 13368 fe:00:2146380 0 EOF`; a waiting process has `->`.
    const found = /^\d+: FLOCK +ADVISORY +WRITE +(-?\d+) ([0-9a-f]+:[0-9a-f]+):(\d+) /.exec(line);
    const [, pid = '', onDevice = '', inode = ''] = found ?? [];
    if (found === null || BigInt(inode) !== facts.ino) continue;
    const holder = Math.max(0, Number(pid));
    // btrfs has other device numbers in this table than in stat(2).
    if (onDevice === device || (await hasOpen(join(proc, String(holder)), path))) return holder;
  }
  return null;
}

async function hasOpen(directory: string, path: string): Promise<boolean> {
  const wanted = await realpath(path);
  const names = await readdir(join(directory, 'fd')).catch(() => []);
  const targets = await Promise.all(
    names.map((name) => readlink(join(directory, 'fd', name)).catch(() => '')),
  );
  return targets.includes(wanted);
}

function major(device: bigint): bigint {
  return ((device >> 8n) & 0xfffn) | ((device >> 32n) & ~0xfffn);
}

function minor(device: bigint): bigint {
  return (device & 0xffn) | ((device >> 12n) & ~0xffn);
}

function hex(number: bigint): string {
  return number.toString(16).padStart(2, '0');
}
