import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { fstatSync, readSync } from 'node:fs';
import { CopyError } from '../contract/errors.ts';
import { mapExtents } from '../inspect/extents.ts';
import { compareIdentity, identityOf, openSource } from '../run/source.ts';
import type { DigestRequest } from '../contract/messages.ts';
import { loadKernel } from '../kernel/calls.ts';
import { toCopyError } from '../kernel/errno.ts';
import { closeFile } from '../storage/close-file.ts';
import { showPath } from '../storage/paths.ts';
import { digestSlot } from '../contract/digest.ts';
import type { FileDigest } from '../contract/digest.ts';

const chunkBytes = 1024 ** 2;
const zeros = Buffer.alloc(chunkBytes);

/** Runs `hashFile` on the worker thread. */
export function digestSync({ path, memory }: DigestRequest): FileDigest {
  const { fd, stat } = openSource(path);
  const slot = new BigInt64Array(memory);
  Atomics.store(slot, digestSlot.total, stat.size);
  const reading = { fd, slot, path: showPath(path), buffer: Buffer.allocUnsafe(chunkBytes) };
  try {
    let before = identityOf(stat);
    for (let attempt = 1; attempt <= maxReads; attempt += 1) {
      const { sha256, skipped } = hashFrom({ ...reading, hash: createHash('sha256') }, stat.size);
      const file = identityOf(fstatSync(fd, { bigint: true }));
      const likeness = compareIdentity(before, file);
      if (likeness === 'same') return { sha256, file, skippedBytes: Number(skipped) };
      if (likeness === 'changed') break;
      before = file; // renamed, or written to with the earlier modification time: only another read can tell
      Atomics.store(slot, digestSlot.done, 0n);
    }
    throw new CopyError('source_changed', { path: reading.path });
  } catch (error) {
    throw toCopyError(error, { path: reading.path });
  } finally {
    closeFile(fd);
  }
}

/** Reads of a file that is touched again and again. */
const maxReads = 3;

function hashFrom(reading: Reading, sizeBytes: bigint): { sha256: string; skipped: bigint } {
  const extents = mapExtents({ kernel: loadKernel(), fd: reading.fd, sizeBytes });
  let skipped = 0n;
  let at = 0n;
  for (let extent = extents.next(0n); extent !== null; extent = extents.next(extent.end)) {
    skipped += extent.start - at;
    hashZeros(reading, extent.start - at);
    hashData(reading, extent.start, extent.end);
    at = extent.end;
  }
  hashZeros(reading, sizeBytes - at);
  return { sha256: reading.hash.digest('hex'), skipped: skipped + sizeBytes - at };
}

interface Reading {
  fd: number;
  hash: Hash;
  slot: BigInt64Array;
  path: string;
  buffer: Buffer;
}

function hashZeros(reading: Reading, length: bigint): void {
  for (let left = length; left > 0n; left -= BigInt(chunkBytes)) {
    hashChunk(reading, zeros.subarray(0, left < BigInt(chunkBytes) ? Number(left) : chunkBytes));
  }
}

function hashData(reading: Reading, start: bigint, end: bigint): void {
  for (let at = start; at < end;) {
    const length = end - at < BigInt(chunkBytes) ? Number(end - at) : chunkBytes;
    const count = readSync(reading.fd, reading.buffer, 0, length, at);
    if (count === 0)
      throw new CopyError('source_changed', { path: reading.path, detail: 'the file became shorter' });
    hashChunk(reading, reading.buffer.subarray(0, count));
    at += BigInt(count);
  }
}

function hashChunk({ hash, slot, path }: Reading, bytes: Buffer): void {
  if (Atomics.load(slot, digestSlot.stop) !== 0n) throw new CopyError('cancelled', { path });
  hash.update(bytes);
  Atomics.add(slot, digestSlot.done, BigInt(bytes.length));
}
