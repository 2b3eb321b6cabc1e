import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { copyFile, support } from '@wcc/copy';
import { findTool, packageOf } from '../images/tools/find-tool.ts';
import type { Finding } from './finding.ts';
import { finding } from './finding.ts';
import type { Host } from './host.ts';
import { isOlder } from './hypervisor.ts';

/** The first kernel whose copy_file_range works between file systems. */
const oldestKernel = '5.3';
const kib = 1024;
const fewMegabytes = 512 * kib ** 2;
const usualOpenFiles = 4096;

/** Copies a file, because a seccomp filter may forbid calls that the kernel has. */
export async function checkKernel(): Promise<Finding> {
  const version = release();
  const { available, why } = support();
  if (!available) return finding('kernel_calls_missing', { reason: why ?? '' });
  if (isOlder(version, oldestKernel))
    return finding('kernel_old', { release: version, needed: oldestKernel });
  const directory = await mkdtemp(join(tmpdir(), 'wcc-doctor-'));
  try {
    const source = join(directory, 'source');
    await writeFile(source, Buffer.alloc(64 * kib, 1));
    const { method, warnings } = await copyFile(source, join(directory, 'copy'));
    const calls = [
      ...(method === 'read-write' ? ['copy_file_range'] : []),
      ...(warnings.includes('published_without_exclusive_rename') ? ['renameat2'] : []),
    ];
    if (calls.length > 0)
      return finding('kernel_calls_refused', { release: version, calls: calls.join(', ') });
    return finding('kernel_ready', { release: version, method });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Programs that images need. QEMU has a check of its own. */
const needed = ['setpriv', 'prlimit', 'openssl'] as const;

export async function checkPrograms({ places }: Host): Promise<Finding> {
  const missing = needed.filter((name) => findTool(name, places.programs) === null);
  if (missing.length === 0) return finding('programs_ready', { programs: needed.join(', ') });
  const packages = [...new Set(missing.map((name) => packageOf[name]))];
  return finding('programs_missing', { programs: missing.join(', '), packages: packages.join(' ') });
}

export async function checkMemory({ places }: Host): Promise<Finding> {
  const text = await readFile(join(places.proc, 'meminfo'), 'utf8');
  const read = (name: string): number =>
    Number(new RegExp(`^${name}: +(\\d+) kB`, 'm').exec(text)?.[1]) * kib;
  const facts = { availableBytes: read('MemAvailable'), totalBytes: read('MemTotal') };
  return finding(facts.availableBytes < fewMegabytes ? 'memory_low' : 'memory_enough', facts);
}

/** The limit of the running server, else that of this process, which is the one of a server started here. */
export async function checkOpenFiles({ places, serverPid }: Host): Promise<Finding> {
  const process = serverPid === null || serverPid === 0 ? 'self' : String(serverPid);
  const text = await readFile(join(places.proc, process, 'limits'), 'utf8');
  const limit = /^Max open files +(\S+)/m.exec(text)?.[1] ?? '';
  const isFew = limit !== 'unlimited' && Number(limit) < usualOpenFiles;
  return finding(isFew ? 'open_files_low' : 'open_files_enough', { limit, needed: usualOpenFiles });
}
