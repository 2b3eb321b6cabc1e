import { readSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import type { InspectPosition, InspectRequest } from '../contract/messages.ts';
import { loadKernel } from '../kernel/calls.ts';
import { toCopyError } from '../kernel/errno.ts';
import { closeFile } from '../storage/close-file.ts';
import { showPath } from '../storage/paths.ts';
import { ExtentList } from '../run/extent-list.ts';
import { firstPosition, mapFurther } from './extents.ts';
import type { ExtentSource, MapPosition } from './extents.ts';
import { readWriters } from './lease.ts';
import { openSource } from '../run/source.ts';
import type { FileFacts } from '../contract/file-facts.ts';

/** Time of one request. Then a request that waits has its turn. */
const sliceMs = 25;

/** Runs `inspectFile` on the worker thread, or a part of it. */
export function inspectSync(request: InspectRequest): FileFacts | { unfinished: InspectPosition } {
  const { path, options } = request;
  const { fd, stat } = openSource(path);
  try {
    const kernel = options.native === 'off' ? null : loadKernel();
    const allocated = stat.blocks * 512n < stat.size ? stat.blocks * 512n : stat.size;
    const source = { kernel, fd, sizeBytes: stat.size };
    const map =
      kernel === null || options.extents === 'skip' ? null : continueMap(source, stat, request.from);
    if (map !== null && !map.isComplete) return { unfinished: pack(map, stat.ino) };
    return {
      kind: 'regular',
      sizeBytes: Number(stat.size),
      dataBytes: Number(map?.extents.dataBytes ?? allocated),
      extentCount: map?.extents.extentCount ?? null,
      inode: String(stat.ino),
      mtimeNs: String(stat.mtimeNs),
      ctimeNs: String(stat.ctimeNs),
      links: Number(stat.nlink),
      writers: readWriters(kernel, fd),
      head: readSample(fd, { offset: 0, lengthBytes: options.headBytes }),
      samples: options.samples.map((sample) => readSample(fd, sample)),
    };
  } catch (error) {
    throw toCopyError(error, { path: showPath(path) });
  } finally {
    closeFile(fd);
  }
}

function continueMap(source: ExtentSource, stat: BigIntStats, from: InspectPosition | null): MapPosition {
  const endMs = performance.now() + sliceMs;
  const isDue = (): boolean => performance.now() > endMs;
  let map = firstPosition();
  // The count of another file, or of one that was cut, is worthless. A file that grows keeps its count, or none would end.
  if (from?.inode === stat.ino && from.offset <= stat.size) {
    const { offset, unwritten } = from;
    map = { extents: ExtentList.unpack(from.extents), offset, unwritten, isComplete: false };
  }
  while (!map.isComplete && !isDue()) map = mapFurther(source, map, isDue);
  return map;
}

function pack({ extents, offset, unwritten }: MapPosition, inode: bigint): InspectPosition {
  return { inode, extents: extents.pack(), offset, unwritten };
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
