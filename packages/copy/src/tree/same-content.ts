import { readSync } from 'node:fs';
import { nextExtent } from '../inspect/extents.ts';
import type { Kernel } from '../kernel/calls.ts';

export interface ContentPair {
  source: number;
  copy: number;
  sizeBytes: bigint;
  /** Its two halves hold the bytes of both files. */
  buffer: Buffer;
  /** Ranges that are holes in both files are not read. Null reads everything. */
  kernel: Kernel | null;
  /** Called with the length of each range that is equal. */
  onEqual?: (bytes: number) => void;
}

/** Whether two open files have the same content, up to a size that both have. */
export function hasSameContent(pair: ContentPair): boolean {
  const { source, copy, sizeBytes, buffer, kernel, onEqual = () => {} } = pair;
  const half = Math.floor(buffer.length / 2);
  const [expected, found] = [buffer.subarray(0, half), buffer.subarray(half, half * 2)];
  const startOf = (fd: number, from: bigint): bigint =>
    nextExtent({ kernel, fd, sizeBytes }, from)?.start ?? sizeBytes;
  for (let at = 0n; at < sizeBytes;) {
    const [first, second] = [startOf(source, at), startOf(copy, at)];
    const start = first < second ? first : second;
    const length = Number(sizeBytes - start < BigInt(half) ? sizeBytes - start : BigInt(half));
    const count = fill(source, expected.subarray(0, length), start);
    const isSame =
      count === length &&
      fill(copy, found.subarray(0, length), start) === length &&
      expected.compare(found, 0, length, 0, length) === 0;
    if (!isSame) return false;
    onEqual(Number(start - at) + length);
    at = start + BigInt(length);
  }
  return true;
}

function fill(fd: number, buffer: Buffer, offset: bigint): number {
  let filled = 0;
  for (let count = -1; count !== 0 && filled < buffer.length; filled += count)
    count = readSync(fd, buffer, filled, buffer.length - filled, offset + BigInt(filled));
  return filled;
}
