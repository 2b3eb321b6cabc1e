import { readSync } from 'node:fs';
import { withDestinationErrors, withSourceErrors, partialOf, sourceOf } from '../run/copy-state.ts';
import type { CopyRun } from '../run/copy-state.ts';
import type { Extent, ExtentList } from '../run/extent-list.ts';
import { throwSourceShrank } from '../run/source-shrank.ts';
import { nextExtent } from './extents.ts';

const bufferBytes = 1024 ** 2;

export interface Comparison {
  /** The data ranges of the source now. */
  extents: ExtentList;
  /** Compares the bytes from `start` on and before `end`. @default 0 */
  start?: bigint;
  end: bigint;
  /** Called after each piece with its data bytes, 0 for a piece of a hole, and the offset behind it. */
  onPiece: (bytes: number, offset: bigint) => void;
}

/**
 * Compares the partial with its source byte by byte, because a digest could not name the offset of the first
 * difference. Holes of the source must read as zeros. Returns that offset, or null if there is none.
 */
export function findDifference(
  run: CopyRun,
  { extents, start = 0n, end, onPiece }: Comparison,
): bigint | null {
  const compare = createComparer(run);
  let at = start;
  while (at < end) {
    const extent = extents.next(at) ?? { start: end, end };
    const holeEnd = extent.start < end ? extent.start : end;
    const inHole = compareHole(run, { start: at, end: holeEnd }, (range) =>
      compare(range, (_, offset) => onPiece(0, offset)),
    );
    if (inHole !== null) return inHole;
    if (holeEnd === end) return null;
    const dataEnd = extent.end < end ? extent.end : end;
    const inData = compare({ start: extent.start, end: dataEnd }, onPiece);
    if (inData !== null) return inData;
    at = dataEnd;
  }
  return null;
}

type Compare = (range: Extent, onPiece: Comparison['onPiece']) => bigint | null;

function createComparer(run: CopyRun): Compare {
  const expected = Buffer.allocUnsafeSlow(bufferBytes);
  const found = Buffer.allocUnsafeSlow(bufferBytes);
  return ({ start, end }, onPiece) => {
    for (let offset = start; offset < end;) {
      const at = offset;
      const want = end - at < BigInt(bufferBytes) ? Number(end - at) : bufferBytes;
      const count = withSourceErrors(run, () => readSync(sourceOf(run).fd, expected, 0, want, at), at);
      if (count === 0) throwSourceShrank(run, at);
      withDestinationErrors(run, () => readFully(partialOf(run).fd, found.subarray(0, count), at), at);
      if (expected.compare(found, 0, count, 0, count) !== 0)
        return at + BigInt(firstDifference(expected, found));
      offset += BigInt(count);
      onPiece(count, offset);
    }
    return null;
  };
}

function firstDifference(a: Buffer, b: Buffer): number {
  let at = 0;
  while (a[at] === b[at]) at += 1;
  return at;
}

function readFully(fd: number, buffer: Buffer, offset: bigint): void {
  for (let filled = 0; filled < buffer.length;) {
    const count = readSync(fd, buffer, filled, buffer.length - filled, offset + BigInt(filled));
    if (count === 0) buffer.fill(0xff, filled); // the copy is shorter: makes the comparison fail
    filled = count === 0 ? buffer.length : filled + count;
  }
}

/** Compares a hole of the source. Only ranges that are data in the copy need reading. */
function compareHole(run: CopyRun, hole: Extent, compare: (range: Extent) => bigint | null): bigint | null {
  const copy = { kernel: run.kernel, fd: partialOf(run).fd, sizeBytes: hole.end };
  let at = hole.start;
  for (let extent = nextExtent(copy, at); extent !== null; extent = nextExtent(copy, at)) {
    const difference = compare(extent);
    if (difference !== null) return difference;
    at = extent.end;
  }
  return null;
}
