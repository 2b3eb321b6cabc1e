import { statfsSync } from 'node:fs';
import type { Kernel } from '../kernel/calls.ts';
import type { MappedRange } from '../kernel/fiemap.ts';
import type { Extent } from '../run/extent-list.ts';

/**
 * File systems whose SEEK_DATA depends on the page cache: it reports an unwritten extent as data once a program has
 * read it. Overlayfs asks the file system below. Others report the same ranges before and after a read.
 */
const cacheDependentTypes: ReadonlySet<number> = new Set([
  0xef53, // ext2, ext3, ext4
  0x58465342, // XFS
  0x794c7630, // overlayfs
]);

/** The next unwritten range that ends after an offset; null after the last. Offsets must not fall. */
export type UnwrittenRanges = (from: bigint) => Extent | null;

/** A file whose unwritten ranges are asked for. */
interface UnwrittenSource {
  kernel: Kernel | null;
  fd: number;
}

/**
 * Whether a file has unwritten ranges, for which it must be written back; an offset to continue at if `isDue` ended the
 * look. Finds none where the kernel cannot report them: these ranges are then copied as data.
 */
export function findUnwritten(
  { kernel, fd }: UnwrittenSource,
  from: bigint,
  isDue: () => boolean,
): 'some' | 'none' | bigint {
  if (kernel === null) return 'none';
  try {
    if (!cacheDependentTypes.has(statfsSync(`/proc/self/fd/${fd}`).type)) return 'none';
    for (const { isUnwritten, end } of enumerate(kernel, fd, { offset: from, isSynced: false })) {
      if (isUnwritten) return 'some';
      if (isDue()) return end;
    }
  } catch {
    return 'none';
  }
  return 'none';
}

/**
 * Enumerates allocated ranges that were never written, for example of `fallocate`, from an offset on. They read as
 * zeros, so they count as holes. A look from the beginning writes the file back.
 */
export function openUnwritten({ kernel, fd }: UnwrittenSource, offset: bigint): UnwrittenRanges {
  if (kernel === null) return () => null;
  const ranges = enumerate(kernel, fd, { offset, isSynced: offset === 0n });
  const next = (): Extent | null => {
    try {
      return nextUnwritten(ranges);
    } catch {
      return null; // then further ranges are copied as data
    }
  };
  let current = next();
  return (from) => {
    while (current !== null && current.end <= from) current = next();
    return current;
  };
}

function nextUnwritten(ranges: Generator<MappedRange>): Extent | null {
  for (;;) {
    const { value, done } = ranges.next();
    if (done === true) return null;
    if (value.isUnwritten) return { start: value.start, end: value.end };
  }
}

function* enumerate(
  kernel: Kernel,
  fd: number,
  { offset, isSynced }: { offset: bigint; isSynced: boolean },
): Generator<MappedRange> {
  let from = offset;
  for (let isFirst = true; ; isFirst = false) {
    const { ranges, isLast } = kernel.mapRanges(fd, { offset: from, isSynced: isSynced && isFirst });
    yield* ranges;
    const end = ranges.at(-1)?.end ?? from;
    if (isLast || end <= from) return;
    from = end;
  }
}
