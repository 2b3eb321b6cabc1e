import type { Kernel } from '../kernel/calls.ts';
import { ExtentList } from '../run/extent-list.ts';
import type { Extent } from '../run/extent-list.ts';
import { findUnwritten, openUnwritten } from './unwritten.ts';

/** A file to enumerate the data ranges of. Without `kernel`, holes cannot be found. */
export interface ExtentSource {
  kernel: Kernel | null;
  fd: number;
  sizeBytes: bigint;
}

/**
 * The next data range at or after an offset, as the kernel reports it now; null after the last one. Ranges end at
 * the inspected size of the file.
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

/** Number of extents found between two calls of `onCheck`. */
const extentsPerCheck = 4096;

/**
 * The data ranges of a file at this moment. Every phase of a copy uses the same list, because what the kernel reports
 * can change without a write. Unwritten ranges are holes, whether or not the page cache contains them.
 */
export function mapExtents(source: ExtentSource, onCheck: () => void = () => {}): ExtentList {
  let position = firstPosition();
  let found = 0;
  const isDue = (): boolean => {
    found += 1;
    if (found % extentsPerCheck === 0) onCheck();
    return false;
  };
  while (!position.isComplete) position = mapFurther(source, position, isDue);
  return position.extents;
}

/** How far the data ranges of a file are looked up. */
export interface MapPosition {
  extents: ExtentList;
  offset: bigint;
  /** Whether the file has unwritten ranges; they are looked for first. */
  unwritten: 'unknown' | 'some' | 'none';
  isComplete: boolean;
}

export function firstPosition(): MapPosition {
  return { extents: new ExtentList(), offset: 0n, unwritten: 'unknown', isComplete: false };
}

/** Looks up further ranges until `isDue` returns true; it is called after each one. */
export function mapFurther(source: ExtentSource, at: MapPosition, isDue: () => boolean): MapPosition {
  if (at.unwritten === 'unknown') {
    const found = findUnwritten(source, at.offset, isDue);
    return typeof found === 'bigint' ? { ...at, offset: found } : { ...at, offset: 0n, unwritten: found };
  }
  const { extents } = at;
  const unwritten = at.unwritten === 'some' ? openUnwritten(source, at.offset) : () => null;
  let from = at.offset;
  for (let extent = nextExtent(source, from); extent !== null; extent = nextExtent(source, from)) {
    let { start } = extent;
    for (let gap = unwritten(start); gap !== null && gap.start < extent.end; gap = unwritten(start)) {
      extents.add({ start, end: gap.start });
      start = gap.end < extent.end ? gap.end : extent.end;
      if (start === extent.end) break;
    }
    extents.add({ start, end: extent.end });
    from = extent.end;
    if (isDue()) return { ...at, offset: from };
  }
  return { ...at, isComplete: true };
}
