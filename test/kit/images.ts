import { createCipheriv, createHash, randomBytes } from 'node:crypto';
import { execFile } from 'node:child_process';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { promisify } from 'node:util';
import koffi from 'koffi';

const run = promisify(execFile);
const chunkBytes = 4 * 1024 * 1024;

export const MiB = 1024 * 1024;
export const GiB = 1024 * MiB;

async function writeRandom(file: FileHandle, from: number, sizeBytes: number): Promise<void> {
  // AES in counter mode over zeros: incompressible, without repetition, and faster than the disk.
  const cipher = createCipheriv('aes-128-ctr', randomBytes(16), randomBytes(16));
  const zeros = Buffer.alloc(chunkBytes);
  for (let at = 0; at < sizeBytes; at += chunkBytes) {
    const part = cipher.update(zeros.subarray(0, Math.min(chunkBytes, sizeBytes - at)));
    await file.write(part, 0, part.length, from + at);
  }
}

/** A raw image full of random bytes, on the disk when this returns. */
export async function makeRandomImage(path: string, sizeBytes: number): Promise<void> {
  const file = await open(path, 'w', 0o644);
  try {
    await writeRandom(file, 0, sizeBytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

export interface SparseOptions {
  virtualBytes: number;
  dataBytes: number;
  /** Into how many pieces, spread evenly over the file, the data is cut. @default 16 */
  pieces?: number;
}

/** A raw image that is nearly all hole. */
export async function makeSparseImage(path: string, options: SparseOptions): Promise<void> {
  const pieces = options.pieces ?? 16;
  const pieceBytes = Math.floor(options.dataBytes / pieces);
  // Whole MiB, so that a data range begins and ends at a block's border on every file system.
  const strideBytes = Math.floor(options.virtualBytes / pieces / MiB) * MiB;
  const file = await open(path, 'w', 0o644);
  try {
    await file.truncate(options.virtualBytes);
    for (let piece = 0; piece < pieces; piece++) await writeRandom(file, piece * strideBytes, pieceBytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** A qcow2 image by qemu-img; its virtual disk is filled from a random raw one, then the raw one is removed. */
export async function makeQcow2(path: string, rawPath: string): Promise<void> {
  await run('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', rawPath, path]);
}

/** What qemu says of the image: throws when it is damaged. */
export async function checkQcow2(path: string): Promise<void> {
  await run('qemu-img', ['check', '-q', '-f', 'qcow2', path]);
}

export interface DataRange {
  start: number;
  end: number;
}

const libc = koffi.load('libc.so.6');
const lseek = libc.func('int64_t lseek(int, int64_t, int)') as (
  fd: number,
  offset: number,
  whence: number,
) => number;
const [seekData, seekHole] = [3, 4];

/** Where data exists, by SEEK_DATA and SEEK_HOLE: an oracle that shares no code with the product. */
export async function dataRanges(path: string): Promise<DataRange[]> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const ranges: DataRange[] = [];
    for (let at = 0; at < size;) {
      const start = lseek(file.fd, at, seekData);
      if (start < 0) break;
      const end = lseek(file.fd, start, seekHole);
      ranges.push({ start, end });
      at = end;
    }
    return ranges;
  } finally {
    await file.close();
  }
}

/** SHA-256 of the whole file, holes read as zeros. */
export async function sha256(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    return await digest(file, [{ start: 0, end: size }]);
  } finally {
    await file.close();
  }
}

/** SHA-256 of the data ranges and their positions: as strict as the whole hash, and cheap for a sparse file. */
export async function sha256OfData(path: string): Promise<string> {
  const ranges = await dataRanges(path);
  const file = await open(path, 'r');
  try {
    return await digest(file, ranges);
  } finally {
    await file.close();
  }
}

async function digest(file: FileHandle, ranges: readonly DataRange[]): Promise<string> {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(chunkBytes);
  for (const { start, end } of ranges) {
    if (ranges.length > 1 || start > 0) hash.update(`${start}-${end};`);
    for (let at = start; at < end;) {
      const { bytesRead } = await file.read(buffer, 0, Math.min(chunkBytes, end - at), at);
      if (bytesRead === 0) throw new Error('the file became shorter while it was hashed');
      hash.update(buffer.subarray(0, bytesRead));
      at += bytesRead;
    }
  }
  return hash.digest('hex');
}
