import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { closeSync, fstatSync, readSync } from 'node:fs';
import { CopyError } from '../contract/errors.ts';
import { nextExtent } from '../inspect/extents.ts';
import { identityOf, isSameSource, openSource } from '../run/source.ts';
import type { DigestRequest } from '../contract/messages.ts';
import { loadKernel } from '../kernel/calls.ts';
import { toCopyError } from '../kernel/errno.ts';
import { showPath } from '../storage/paths.ts';
import { digestSlot } from '../contract/digest.ts';
import type { FileDigest } from '../contract/digest.ts';

const chunkBytes = 1024 ** 2;
const zeros = Buffer.alloc(chunkBytes);

/** Runs `digestFile` on the worker thread. */
export function digestSync({ path, memory }: DigestRequest): FileDigest {
  const { fd, stat } = openSource(path);
  const slot = new BigInt64Array(memory);
  const hash = createHash('sha256');
  const reading: Reading = { fd, hash, slot, path: showPath(path), buffer: Buffer.allocUnsafe(chunkBytes) };
  let skipped = 0n;
  try {
    const source = { kernel: loadKernel(), fd, sizeBytes: stat.size };
    let at = 0n;
    for (let extent = nextExtent(source, 0n); extent !== null; extent = nextExtent(source, extent.end)) {
      skipped += extent.start - at;
      hashZeros(reading, extent.start - at);
      hashData(reading, extent.start, extent.end);
      at = extent.end;
    }
    skipped += stat.size - at;
    hashZeros(reading, stat.size - at);
    const file = identityOf(fstatSync(fd, { bigint: true }));
    if (!isSameSource(file, identityOf(stat))) throw new CopyError('source_changed', { path: reading.path });
    return { sha256: hash.digest('hex'), file, skippedBytes: Number(skipped) };
  } catch (error) {
    throw toCopyError(error, { path: reading.path });
  } finally {
    closeSync(fd);
  }
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
