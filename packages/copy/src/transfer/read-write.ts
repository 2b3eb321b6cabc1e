import { readSync, writeSync } from 'node:fs';
import type { Extent } from '../run/extent-list.ts';
import { withDestinationErrors, withSourceErrors, partialOf, sourceOf } from '../run/copy-state.ts';
import type { CopyRun } from '../run/copy-state.ts';
import { throwSourceShrank } from '../run/source-shrank.ts';

/** Copies one range; returns how many bytes of it were written (zeros may be left out). */
export type Mover = (range: Extent) => bigint;

/** Size of the one buffer. A larger one does not stay in the processor's cache. */
const bufferBytes = 1024 ** 2;
/** Unit of zero detection, because file systems store holes in pages. */
const pageBytes = 4096;
const zeroPage = Buffer.alloc(pageBytes);

/** A mover that reads and writes. With zero detection, pages of zeros become holes. */
export function createBufferMover(run: CopyRun): Mover {
  const buffer = Buffer.allocUnsafeSlow(bufferBytes);
  const { stat } = sourceOf(run);
  // Without kernel calls holes cannot be found. They read as zeros, so zeros of a sparse source are skipped.
  const skipsZeros = run.request.detectZeros || (run.kernel === null && stat.blocks * 512n < stat.size);
  return ({ start, end }) => {
    let written = 0n;
    for (let offset = start; offset < end;) {
      const rest = end - offset;
      const want = rest < BigInt(bufferBytes) ? Number(rest) : bufferBytes;
      const chunk = buffer.subarray(0, readAt(run, buffer.subarray(0, want), offset));
      written += skipsZeros ? writeNonZero(run, chunk, offset) : writeAt(run, chunk, offset);
      offset += BigInt(chunk.length);
    }
    return written;
  };
}

function readAt(run: CopyRun, buffer: Uint8Array, offset: bigint): number {
  const { fd } = sourceOf(run);
  const count = withSourceErrors(run, () => readSync(fd, buffer, 0, buffer.length, offset), offset);
  if (count === 0) throwSourceShrank(run, offset);
  return count;
}

function writeAt(run: CopyRun, chunk: Uint8Array, offset: bigint): bigint {
  const { fd } = partialOf(run);
  const { kernel } = run;
  for (let done = 0; done < chunk.length;) {
    const rest = chunk.subarray(done);
    const at = offset + BigInt(done);
    const range = { fd, offset: at, lengthBytes: rest.length };
    // Node writes only at offsets up to 2^53
    done += withDestinationErrors(
      run,
      () => (kernel === null ? writeSync(fd, rest, 0, rest.length, Number(at)) : kernel.write(rest, range)),
      at,
    );
  }
  return BigInt(chunk.length);
}

/** Writes only the pages that contain a byte other than zero. */
function writeNonZero(run: CopyRun, chunk: Buffer, offset: bigint): bigint {
  let written = 0n;
  let runStart = -1;
  for (let at = 0; at < chunk.length; at += pageBytes) {
    const page = chunk.subarray(at, at + pageBytes);
    const isZero = page.equals(page.length === pageBytes ? zeroPage : zeroPage.subarray(0, page.length));
    if (!isZero && runStart < 0) runStart = at;
    if (isZero && runStart >= 0) {
      written += writeAt(run, chunk.subarray(runStart, at), offset + BigInt(runStart));
      runStart = -1;
    }
  }
  if (runStart >= 0) written += writeAt(run, chunk.subarray(runStart), offset + BigInt(runStart));
  return written;
}
