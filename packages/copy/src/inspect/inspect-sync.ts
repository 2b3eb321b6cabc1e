import { closeSync, readSync } from 'node:fs';
import type { InspectRequest } from '../contract/messages.ts';
import { loadKernel } from '../kernel/calls.ts';
import { toCopyError } from '../kernel/errno.ts';
import { showPath } from '../storage/paths.ts';
import { countExtents } from './extents.ts';
import { readWriters } from './lease.ts';
import { openSource } from '../run/source.ts';
import type { FileFacts } from '../contract/file-facts.ts';

const headBytes = 65_536;

/** Runs `inspectFile` on the worker thread. */
export function inspectSync({ path, options }: InspectRequest): FileFacts {
  const { fd, stat } = openSource(path);
  try {
    const kernel = options.kernelCalls === 'off' ? null : loadKernel();
    const allocated = stat.blocks * 512n < stat.size ? stat.blocks * 512n : stat.size;
    const source = { kernel, fd, sizeBytes: stat.size };
    const totals = kernel === null ? null : countExtents(source, { before: 0n, onCheck: () => {} });
    return {
      kind: 'regular',
      sizeBytes: Number(stat.size),
      dataBytes: Number(totals?.dataBytes ?? allocated),
      extentCount: totals?.extentCount ?? null,
      inode: String(stat.ino),
      mtimeNs: String(stat.mtimeNs),
      links: Number(stat.nlink),
      writers: readWriters(kernel, fd),
      head: readSample(fd, { offset: 0, lengthBytes: options.headBytes ?? headBytes }),
      samples: (options.samples ?? []).map((sample) => readSample(fd, sample)),
    };
  } catch (error) {
    throw toCopyError(error, { path: showPath(path) });
  } finally {
    closeSync(fd);
  }
}

function readSample(fd: number, sample: { offset: number; lengthBytes: number }): Uint8Array {
  const bytes = new Uint8Array(sample.lengthBytes);
  let filled = 0;
  while (filled < bytes.length) {
    const count = readSync(fd, bytes, filled, bytes.length - filled, sample.offset + filled);
    if (count === 0) break;
    filled += count;
  }
  return bytes.slice(0, filled);
}
