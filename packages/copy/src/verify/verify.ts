import { readSync } from 'node:fs';
import { CopyError } from '../contract/errors.ts';
import { nextExtent } from '../inspect/extents.ts';
import type { Extent } from '../inspect/extents.ts';
import { extentSource } from '../inspect/inspect.ts';
import { showPath } from '../storage/paths.ts';
import { throwSourceShrank } from '../run/source-shrank.ts';
import { waitWhilePaused } from '../run/control.ts';
import {
  beginPhase,
  withDestinationErrors,
  withSourceErrors,
  partialOf,
  sourceOf,
} from '../run/copy-state.ts';
import type { CopyRun } from '../run/copy-state.ts';

const bufferBytes = 1024 ** 2;

/**
 * Reads the copy back and compares it with its source byte by byte, because a digest could not name the offset of
 * the first difference. Holes of the source must read as zeros.
 */
export function verify(run: CopyRun): void {
  beginPhase(run, 'verify', run.dataBytes);
  dropPageCache(run);
  const compare = createComparer(run);
  const source = extentSource(run, sourceOf(run));
  let done = 0n;
  let at = 0n;
  for (let extent = nextExtent(source, at); extent !== null; extent = nextExtent(source, at)) {
    compareHole(run, { start: at, end: extent.start }, compare);
    compare(extent, (bytes) => {
      done += BigInt(bytes);
      run.slot.set('done', done);
      waitWhilePaused(run);
    });
    at = extent.end;
  }
  compareHole(run, { start: at, end: source.sizeBytes }, compare);
}

/** Drops cached pages, so that the bytes are read from the storage and not from the page cache. */
function dropPageCache(run: CopyRun): void {
  run.kernel?.dropCache({ fd: partialOf(run).fd, offset: 0n, lengthBytes: 0 });
}

type Compare = (range: Extent, onChunk: (bytes: number) => void) => void;

function createComparer(run: CopyRun): Compare {
  const expected = Buffer.allocUnsafeSlow(bufferBytes);
  const found = Buffer.allocUnsafeSlow(bufferBytes);
  return ({ start, end }, onChunk) => {
    for (let offset = start; offset < end;) {
      const want = end - offset < BigInt(bufferBytes) ? Number(end - offset) : bufferBytes;
      const count = withSourceErrors(
        run,
        () => readSync(sourceOf(run).fd, expected, 0, want, offset),
        offset,
      );
      if (count === 0) throwSourceShrank(run, offset);
      withDestinationErrors(
        run,
        () => readFully(partialOf(run).fd, found.subarray(0, count), offset),
        offset,
      );
      if (expected.compare(found, 0, count, 0, count) !== 0)
        throwMismatch(run, expected, { found, offset, count });
      onChunk(count);
      offset += BigInt(count);
    }
  };
}

function readFully(fd: number, buffer: Buffer, offset: bigint): void {
  for (let filled = 0; filled < buffer.length;) {
    const count = readSync(fd, buffer, filled, buffer.length - filled, offset + BigInt(filled));
    if (count === 0) buffer.fill(0xff, filled); // the copy is shorter: makes the comparison fail
    filled = count === 0 ? buffer.length : filled + count;
  }
}

/** Compares a hole of the source. Only ranges that are data in the copy need reading. */
function compareHole(run: CopyRun, hole: Extent, compare: Compare): void {
  const copy = { kernel: run.kernel, fd: partialOf(run).fd, sizeBytes: hole.end };
  let at = hole.start;
  for (let extent = nextExtent(copy, at); extent !== null; extent = nextExtent(copy, at)) {
    compare(extent, () => waitWhilePaused(run));
    at = extent.end;
  }
}

function throwMismatch(
  run: CopyRun,
  expected: Buffer,
  { found, offset, count }: { found: Buffer; offset: bigint; count: number },
): never {
  let at = 0;
  while (at < count && expected[at] === found[at]) at += 1;
  throw new CopyError('verify_mismatch', {
    path: showPath(run.request.destination),
    offset: Number(offset + BigInt(at)),
  });
}
