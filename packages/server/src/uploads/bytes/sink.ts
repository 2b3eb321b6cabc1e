import type { FileHandle } from 'node:fs/promises';
import { release } from './free-buffers.ts';

/** Small enough to be still in the processor's cache when the kernel copies it. */
const batchBytes = 256 * 1024;
/** So much may gather while a write is on its way: more would only hold memory. */
const mostGatheredBytes = 1024 ** 2;

/**
 * Where the bytes of one upload go: gathered to batches, one write on its way at a time. The kernel takes writes to
 * one file one after another anyway; more of them would spin for its lock on a core that the socket could use.
 */
export interface ByteSink {
  /** Every byte below is written, without a hole; not yet durable. */
  readonly writtenBytes: number;
  /** Every byte below was taken over. */
  readonly takenBytes: number;
  /** Whoever brings bytes is to stop until `onRoom` is called. */
  readonly isFull: boolean;
  /** The first write that failed; null: none did. */
  readonly failure: { error: unknown } | null;
  /** @param chunk from now on the sink's alone: its memory is given back when it is written */
  put(chunk: Buffer): void;
  /** Lets what was gathered go, though it is no whole batch yet. */
  push(): void;
  /** Waits until all that was taken is written or has failed. */
  drained(): Promise<void>;
  /** Goes on from another place; only when drained. */
  reset(offsetBytes: number): void;
}

export interface ByteSinkOptions {
  handle: FileHandle;
  offsetBytes: number;
  /** A write has ended, well or badly. */
  onRoom: () => void;
}

export function createByteSink(options: ByteSinkOptions): ByteSink {
  return new Sink(options);
}

class Sink implements ByteSink {
  readonly #options: ByteSinkOptions;
  #gathered: Buffer[] = [];
  #gatheredBytes = 0;
  #launchedBytes: number;
  #write: Promise<void> | null = null;
  writtenBytes: number;
  failure: ByteSink['failure'] = null;

  constructor(options: ByteSinkOptions) {
    this.#options = options;
    this.#launchedBytes = options.offsetBytes;
    this.writtenBytes = options.offsetBytes;
  }

  get takenBytes(): number {
    return this.#launchedBytes + this.#gatheredBytes;
  }

  get isFull(): boolean {
    return this.#gatheredBytes >= mostGatheredBytes;
  }

  put(chunk: Buffer): void {
    this.#gathered.push(chunk);
    this.#gatheredBytes += chunk.length;
    if (this.#gatheredBytes >= batchBytes) this.push();
  }

  push(): void {
    if (this.#gatheredBytes === 0 || this.#write !== null) return;
    const parts = this.#gathered;
    const at = this.#launchedBytes;
    this.#launchedBytes += this.#gatheredBytes;
    this.#gathered = [];
    this.#gatheredBytes = 0;
    this.#write = this.#writeOut(parts, at).finally(() => {
      this.#write = null;
      if (this.#gatheredBytes >= batchBytes) this.push();
      this.#options.onRoom();
    });
  }

  async drained(): Promise<void> {
    for (this.push(); this.#write !== null; this.push()) await this.#write;
  }

  reset(offsetBytes: number): void {
    this.#gathered = [];
    this.#gatheredBytes = 0;
    this.failure = null;
    this.#launchedBytes = offsetBytes;
    this.writtenBytes = offsetBytes;
  }

  async #writeOut(parts: Buffer[], at: number): Promise<void> {
    // After a failure there is a hole: what comes behind it does not count.
    if (this.failure !== null) return;
    try {
      await writeAll(this.#options.handle, parts, at);
      this.writtenBytes = this.#launchedBytes;
    } catch (error) {
      this.failure = { error };
    }
    release(parts);
  }
}

/** The kernel may take less than it was given. */
async function writeAll(handle: FileHandle, parts: Buffer[], position: number): Promise<void> {
  let left = parts;
  let at = position;
  while (left.length > 0) {
    const { bytesWritten } = await handle.writev(left, at);
    at += bytesWritten;
    left = after(left, bytesWritten);
  }
}

function after(parts: Buffer[], bytes: number): Buffer[] {
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
