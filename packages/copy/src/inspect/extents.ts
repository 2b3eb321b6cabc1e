import type { Kernel } from '../kernel/calls.ts';

/** A file whose data ranges are walked; `kernel` null: holes cannot be seen. */
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
 * The data ranges from an offset on, found as the walk goes: a list of a million extents is never held in
 * memory. Ranges are clipped to the size the file had when it was inspected.
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
  /** Data bytes before the offset asked for. */
  bytesBefore: bigint;
}

/** How many extents are counted between two looks at the control flags. */
const extentsPerCheck = 4096;

export function countExtents(
  source: ExtentSource,
  options: { before: bigint; onLook: () => void },
): ExtentTotals {
  const totals: ExtentTotals = { dataBytes: 0n, extentCount: 0, bytesBefore: 0n };
  for (let extent = nextExtent(source, 0n); extent !== null; extent = nextExtent(source, extent.end)) {
    const { start, end } = extent;
    totals.dataBytes += end - start;
    totals.extentCount += 1;
    if (start < options.before) totals.bytesBefore += (end < options.before ? end : options.before) - start;
    if (totals.extentCount % extentsPerCheck === 0) options.onLook();
  }
  return totals;
}
