import { randomFill } from 'node:crypto';
import { promisify } from 'node:util';
import { link, open, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { ignoreMissing } from '../../files/errors.ts';
import { imageMode } from '../../files/modes.ts';
import { syncDirectory } from '../../files/sync-directory.ts';
import { makeBootSector } from './boot-sector.ts';

const fillWithRandom = promisify<Buffer, Buffer>(randomFill);
const chunkBytes = 8 * 1024 ** 2;
const blockBytes = 4_096;
/** Written back so often: what is told as done is on the disk, and little of it waits in memory. */
const windowBytes = 64 * 1024 ** 2;

/** What a sample in the making tells; written by the loop below, read by whoever likes. */
export interface SampleProgress {
  phase: 'write' | 'flush' | 'publish';
  doneBytes: number;
  movedAtMs: number;
  phaseStartedAtMs: number;
}

export interface SampleFile {
  partialPath: string;
  targetPath: string;
  directory: string;
  sizeBytes: number;
}

export interface SampleOptions {
  signal: AbortSignal;
  progress: SampleProgress;
  onPhase: (phase: SampleProgress['phase']) => void;
}

/**
 * Writes a file of data that cannot be compressed or shared, and publishes it without ever replacing another.
 * Every write waits for the one before it, in Node's own threads: the event loop stays free.
 *
 * The partial stays linked until the end is in the store: so a crash in between can be told from a file that
 * somebody else put there.
 */
export async function writeSample(file: SampleFile, options: SampleOptions): Promise<void> {
  await unlink(file.partialPath).catch(ignoreMissing);
  const handle = await open(file.partialPath, 'wx', 0o600);
  try {
    enter('write', options);
    await fill(handle, file.sizeBytes, options);
    enter('flush', options);
    await handle.chmod(imageMode);
    await handle.sync();
  } finally {
    await handle.close();
  }
  options.signal.throwIfAborted();
  enter('publish', options);
  await link(file.partialPath, file.targetPath);
  await syncDirectory(file.directory);
}

function enter(phase: SampleProgress['phase'], { progress, onPhase }: SampleOptions): void {
  progress.phase = phase;
  progress.phaseStartedAtMs = performance.now();
  progress.movedAtMs = progress.phaseStartedAtMs;
  onPhase(phase);
}

async function fill(
  handle: FileHandle,
  sizeBytes: number,
  { signal, progress }: SampleOptions,
): Promise<void> {
  const chunk = Buffer.allocUnsafe(chunkBytes);
  await fillWithRandom(chunk);
  let written = 0;
  while (written < sizeBytes) {
    signal.throwIfAborted();
    const length = Math.min(chunkBytes, sizeBytes - written);
    stamp(chunk, written);
    // It boots: whoever has no image of their own can try a machine with it.
    if (written === 0) makeBootSector().copy(chunk);
    await writeAll(handle, chunk.subarray(0, length), written);
    written += length;
    if (written % windowBytes !== 0 && written !== sizeBytes) continue;
    await handle.datasync();
    progress.doneBytes = written;
    progress.movedAtMs = performance.now();
  }
}

async function writeAll(handle: FileHandle, bytes: Buffer, position: number): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

/** Makes every block differ from all others, so that no file system can store it once. */
function stamp(chunk: Buffer, offset: number): void {
  for (let at = 0; at < chunk.length; at += blockBytes) chunk.writeBigUInt64LE(BigInt(offset + at), at);
}
