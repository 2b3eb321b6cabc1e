import type { FileHandle } from 'node:fs/promises';
import { freeBuffers } from './free-buffers.ts';

/** Maximum batches gathered while a write is in flight. More would only use memory. */
const maxGatheredBatches = 4;

/**
 * Gathers chunks into batches and writes them, one write at a time. The kernel serializes writes to one file
 * anyway: parallel writes would spin for its lock.
 */
export interface BatchWriter {
  /** Every byte below this offset is written without a hole, but not yet durable. */
  readonly writtenBytes: number;
  /** Every byte below this offset was passed to `put`. */
  readonly takenBytes: number;
  /** True: do not call `put` until `onWritten` is called. */
  readonly isFull: boolean;
  /** The first write that failed; null: none has failed. */
  readonly failure: { error: unknown } | null;
  /** @param chunk must not be used afterwards: its memory is freed once it is written */
  put(chunk: Buffer): void;
  /** Writes the gathered bytes, even less than a batch. Resolves when the write in flight has ended; never rejects. */
  push(): Promise<void>;
  /** Resolves when every byte passed to `put` is written, or a write has failed. Never rejects. */
  drained(): Promise<void>;
  /** Clears the failure and continues at another offset. Call it only when drained. */
  reset(offsetBytes: number): void;
}

export interface BatchWriterOptions {
  handle: FileHandle;
  offsetBytes: number;
  batchBytes: number;
  /** A write has ended, successfully or not. */
  onWritten: () => void;
}

export function createBatchWriter(options: BatchWriterOptions): BatchWriter {
  return new Batches(options);
}

class Batches implements BatchWriter {
  readonly #options: BatchWriterOptions;
  #gathered: Buffer[] = [];
  #gatheredBytes = 0;
  #launchedBytes: number;
  #write: Promise<void> | null = null;
  writtenBytes: number;
  failure: BatchWriter['failure'] = null;

  constructor(options: BatchWriterOptions) {
    this.#options = options;
    this.#launchedBytes = options.offsetBytes;
    this.writtenBytes = options.offsetBytes;
  }

  get takenBytes(): number {
    return this.#launchedBytes + this.#gatheredBytes;
  }

  get isFull(): boolean {
    return this.#gatheredBytes >= maxGatheredBatches * this.#options.batchBytes;
  }

  put(chunk: Buffer): void {
    this.#gathered.push(chunk);
    this.#gatheredBytes += chunk.length;
    if (this.#gatheredBytes >= this.#options.batchBytes) void this.push();
  }

  async push(): Promise<void> {
    if (this.#gatheredBytes > 0 && this.#write === null) this.#launch();
    await this.#write;
  }

  async drained(): Promise<void> {
    for (void this.push(); this.#write !== null; void this.push()) await this.#write;
  }

  reset(offsetBytes: number): void {
    this.#gathered = [];
    this.#gatheredBytes = 0;
    this.failure = null;
    this.#launchedBytes = offsetBytes;
    this.writtenBytes = offsetBytes;
  }

  #launch(): void {
    const parts = this.#gathered;
    const at = this.#launchedBytes;
    this.#launchedBytes += this.#gatheredBytes;
    this.#gathered = [];
    this.#gatheredBytes = 0;
    this.#write = this.#writeOut(parts, at).finally(() => {
      this.#write = null;
      if (this.#gatheredBytes >= this.#options.batchBytes) void this.push();
      this.#options.onWritten();
    });
  }

  async #writeOut(parts: Buffer[], at: number): Promise<void> {
    // A failed write leaves a hole, so bytes after it do not count.
    if (this.failure !== null) return;
    try {
      await writeAll(this.#options.handle, parts, at);
      this.writtenBytes = this.#launchedBytes;
    } catch (error) {
      this.failure = { error };
    }
    freeBuffers(parts);
  }
}

/** Writes all parts, because the kernel may accept fewer bytes than it was given. */
async function writeAll(handle: FileHandle, parts: Buffer[], position: number): Promise<void> {
  let left = parts;
  let at = position;
  while (left.length > 0) {
    const { bytesWritten } = await handle.writev(left, at);
    at += bytesWritten;
    left = skipBytes(left, bytesWritten);
  }
}

function skipBytes(parts: Buffer[], bytes: number): Buffer[] {
  let skip = bytes;
  let index = 0;
  for (; index < parts.length; index += 1) {
    const { length } = parts[index] ?? Buffer.alloc(0);
    if (skip < length) break;
    skip -= length;
  }
  const [first, ...rest] = parts.slice(index);
  return first === undefined ? [] : [first.subarray(skip), ...rest];
}
