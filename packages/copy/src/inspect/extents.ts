import type { Kernel } from '../kernel/calls.ts';

/** A file to enumerate the data ranges of. Without `kernel`, holes cannot be found. */
export interface ExtentSource {
  kernel: Kernel | null;
  fd: number;
  sizeBytes: bigint;
}

export interface Extent {
  start: bigint;
  end: bigint;
}

/**
 * The next data range at or after an offset; null after the last one. Finds ranges one by one, so that a file with a
 * million extents needs no list in memory. Ranges end at the inspected size of the file.
 */
export function nextExtent(source: ExtentSource, from: bigint): Extent | null {
  const { kernel, fd, sizeBytes } = source;
  if (from >= sizeBytes) return null;
  if (kernel === null) return { start: from, end: sizeBytes };
  const start = kernel.seekData(fd, from);
  if (start === null || start >= sizeBytes) return null;
  const hole = kernel.seekHole(fd, start);
  return { start, end: hole < sizeBytes ? hole : sizeBytes };
}

export interface ExtentTotals {
  dataBytes: bigint;
  extentCount: number;
  /** Data bytes before the offset `before`. */
  bytesBefore: bigint;
}

/** Number of extents counted between two calls of `onCheck`. */
const extentsPerCheck = 4096;

export function countExtents(
  source: ExtentSource,
  options: { before: bigint; onCheck: () => void },
): ExtentTotals {
  const totals: ExtentTotals = { dataBytes: 0n, extentCount: 0, bytesBefore: 0n };
  for (let extent = nextExtent(source, 0n); extent !== null; extent = nextExtent(source, extent.end)) {
    const { start, end } = extent;
    totals.dataBytes += end - start;
    totals.extentCount += 1;
    if (start < options.before) totals.bytesBefore += (end < options.before ? end : options.before) - start;
    if (totals.extentCount % extentsPerCheck === 0) options.onCheck();
  }
  return totals;
}
