import { randomFill } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { Progress } from '../../operations/work.ts';
import { createPartial, publishPartial } from '../publish/linked-partial.ts';
import { makeBootSector } from './boot-sector.ts';

const fillWithRandom = promisify<Buffer, Buffer>(randomFill);
const chunkBytes = 8 * 1024 ** 2;
const blockBytes = 4_096;
/** Bytes between two syncs: everything reported as done is on the disk, and little of it waits in memory. */
const windowBytes = 64 * 1024 ** 2;

export interface SampleFile {
  directory: string;
  /** Id of the operation. */
  id: string;
  targetName: string;
  sizeBytes: number;
}

/**
 * Writes a file of data that cannot be compressed or shared, and publishes it without replacing another file.
 * Each write waits for the one before it, in Node's own threads, so the event loop stays free.
 */
export async function writeSample(file: SampleFile, progress: Progress): Promise<void> {
  const handle = await createPartial(file.directory, file.id);
  try {
    progress.startPhase('write', { unit: 'bytes', total: file.sizeBytes });
    await fill(handle, file.sizeBytes, progress);
    progress.startPhase('flush');
    await handle.sync();
    progress.signal.throwIfAborted();
    progress.startPhase('publish');
    await publishPartial(handle, file);
  } finally {
    await handle.close();
  }
}

async function fill(handle: FileHandle, sizeBytes: number, progress: Progress): Promise<void> {
  const chunk = Buffer.allocUnsafe(chunkBytes);
  await fillWithRandom(chunk);
  let written = 0;
  while (written < sizeBytes) {
    progress.signal.throwIfAborted();
    const length = Math.min(chunkBytes, sizeBytes - written);
    stamp(chunk, written);
    // It boots: a user without an image can try a machine with it.
    if (written === 0) makeBootSector().copy(chunk);
    await writeAll(handle, chunk.subarray(0, length), written);
    written += length;
    if (written % windowBytes !== 0 && written !== sizeBytes) continue;
    await handle.datasync();
    // Not reported as durable: a sample starts from zero after a crash.
    progress.advance(written);
    progress.setBytes({ virtual: sizeBytes, data: sizeBytes, skipped: 0, shared: 0, written });
  }
}

async function writeAll(handle: FileHandle, bytes: Buffer, position: number): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

/** Makes every block unique, so that no file system can share blocks. */
function stamp(chunk: Buffer, offset: number): void {
  for (let at = 0; at < chunk.length; at += blockBytes) chunk.writeBigUInt64LE(BigInt(offset + at), at);
}
