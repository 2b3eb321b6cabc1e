import { createCipheriv, createHash, randomBytes } from 'node:crypto';
import { execFile } from 'node:child_process';
import { open, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { promisify } from 'node:util';
import koffi from 'koffi';

const run = promisify(execFile);
const chunkBytes = 4 * 1024 * 1024;

export const MiB = 1024 * 1024;
export const GiB = 1024 * MiB;

async function writeRandom(file: FileHandle, from: number, sizeBytes: number): Promise<void> {
  // AES in counter mode over zeros gives incompressible data faster than a disk can write it.
  const cipher = createCipheriv('aes-128-ctr', randomBytes(16), randomBytes(16));
  const zeros = Buffer.alloc(chunkBytes);
  for (let at = 0; at < sizeBytes; at += chunkBytes) {
    const part = cipher.update(zeros.subarray(0, Math.min(chunkBytes, sizeBytes - at)));
    await file.write(part, 0, part.length, from + at);
  }
}

/** Writes a raw image of random bytes and syncs it to the disk. */
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
  /** Number of data ranges, spread evenly over the file. @default 16 */
  pieces?: number;
}

/** Writes a raw image that consists mostly of holes. */
export async function makeSparseImage(path: string, options: SparseOptions): Promise<void> {
  const pieces = options.pieces ?? 16;
  const pieceBytes = Math.floor(options.dataBytes / pieces);
  // Whole MiB align data ranges to blocks on every file system.
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

/** Converts a raw image to qcow2 by qemu-img. */
export async function makeQcow2(path: string, rawPath: string): Promise<void> {
  await run('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', rawPath, path]);
}

/** Runs `qemu-img check` on an image. @throws if the image is damaged */
export async function checkQcow2(path: string): Promise<void> {
  await run('qemu-img', ['check', '-q', '-f', 'qcow2', path]);
}

/**
 * Compares a qcow2 image with the raw one that it was made of: size and content. Without qemu-img's strict mode, which
 * compares runs of clusters too, because a conversion stores them out of order.
 * @throws Error if they differ
 */
export async function assertSameDisk(qcow2: string, raw: string): Promise<void> {
  await run('qemu-img', ['compare', '-f', 'qcow2', '-F', 'raw', qcow2, raw]);
  const { stdout } = await run('qemu-img', ['info', '-f', 'qcow2', '--output=json', qcow2]);
  const virtualBytes = (JSON.parse(stdout) as { 'virtual-size': number })['virtual-size'];
  const { size } = await stat(raw);
  if (virtualBytes !== size) throw new Error(`${qcow2} has ${virtualBytes} bytes, ${raw} ${size}`);
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

/** Finds data ranges by SEEK_DATA and SEEK_HOLE. Shares no code with the product. */
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
/** Compares two large files. Faster than two digests. */
export async function areEqualFiles(first: string, second: string): Promise<boolean> {
  return promisify(execFile)('cmp', ['--silent', first, second]).then(
    () => true,
    (error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 1) return false;
      throw error;
    },
  );
}

export async function sha256(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    return await digest(file, [{ start: 0, end: size }]);
  } finally {
    await file.close();
  }
}

/** SHA-256 of the data ranges and their positions, which detects the same changes as the whole hash at less cost. */
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
      if (bytesRead === 0) throw new Error('the file was truncated during hashing');
      hash.update(buffer.subarray(0, bytesRead));
      at += bytesRead;
    }
  }
  return hash.digest('hex');
}
