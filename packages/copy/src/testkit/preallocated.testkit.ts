import { execFileSync } from 'node:child_process';
import { closeSync, constants, ftruncateSync, openSync, statSync, truncateSync, writeSync } from 'node:fs';
import { randomFillSync } from 'node:crypto';
import { loadKernel } from '../kernel/calls.ts';

export interface AllocatedPiece {
  /** Bytes before the data: a hole, or allocated blocks that are never written. */
  gapBytes: number;
  isGapAllocated: boolean;
  dataBytes: number;
}

/** Writes random data after gaps. Some gaps have allocated blocks without content. Needs kernel calls. */
export function writeAllocated(path: string, pieces: readonly AllocatedPiece[]): void {
  const fd = openSync(path, 'w');
  let at = 0;
  for (const { gapBytes, isGapAllocated, dataBytes } of pieces) {
    if (isGapAllocated && gapBytes > 0)
      loadKernel()?.allocate({ fd, offset: BigInt(at), lengthBytes: gapBytes });
    at += gapBytes;
    if (dataBytes > 0) writeSync(fd, randomFillSync(Buffer.alloc(dataBytes)), 0, dataBytes, at);
    at += dataBytes;
  }
  ftruncateSync(fd, at);
  closeSync(fd);
}

/**
 * Allocates blocks behind the end of the file, as `fallocate --keep-size` and writers of logs do.
 * @param options.enlargedBytes by which the file then grows over those blocks
 */
export function allocateBehindEnd(
  path: string,
  { bytes, enlargedBytes }: { bytes: number; enlargedBytes: number },
): void {
  const end = statSync(path).size;
  execFileSync('fallocate', ['--keep-size', '--offset', String(end), '--length', String(bytes), path]);
  if (enlargedBytes > 0) truncateSync(path, end + enlargedBytes);
}

/** Writes the file back and drops its pages, so that the next read goes to the file system and reads ahead. */
export function dropPages(path: string): void {
  execFileSync('sync', [path]);
  const fd = openSync(path, constants.O_RDONLY);
  loadKernel()?.dropCache({ fd, offset: 0n, lengthBytes: 0 });
  closeSync(fd);
}
