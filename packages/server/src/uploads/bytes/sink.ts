import type { FileHandle } from 'node:fs/promises';

/** Small enough to be on its way soon, large enough that the price of a call does not count. */
const batchBytes = 1024 ** 2;
/** More would only hold memory: the page cache takes them faster than a network brings them. */
const mostInFlight = 4;

/** Where the bytes of one upload go: gathered to batches, several writes on their way at once. */
export interface ByteSink {
  /** Every byte below is written, without a hole; not yet durable. */
  readonly writtenBytes: number;
  /** Every byte below was taken over. */
  readonly takenBytes: number;
  /** Whoever brings bytes is to stop until `onRoom` is called. */
  readonly isFull: boolean;
  /** The first write that failed; null: none did. */
  readonly failure: { error: unknown } | null;
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

interface Flight {
  endBytes: number;
  state: 'open' | 'done' | 'failed';
}

export function createByteSink(options: ByteSinkOptions): ByteSink {
  return new Sink(options);
}

class Sink implements ByteSink {
  readonly #options: ByteSinkOptions;
  readonly #open = new Set<Promise<void>>();
  #gathered: Buffer[] = [];
  #gatheredBytes = 0;
  /** In the order of their places in the file. */
  #flights: Flight[] = [];
  #launchedBytes: number;
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
    return this.#open.size >= mostInFlight;
  }

  put(chunk: Buffer): void {
    this.#gathered.push(chunk);
    this.#gatheredBytes += chunk.length;
    if (this.#gatheredBytes >= batchBytes) this.push();
  }

  push(): void {
    if (this.#gatheredBytes === 0) return;
    const parts = this.#gathered;
    const at = this.#launchedBytes;
    this.#launchedBytes += this.#gatheredBytes;
    this.#gathered = [];
    this.#gatheredBytes = 0;
    const flight: Flight = { endBytes: this.#launchedBytes, state: 'open' };
    this.#flights.push(flight);
    const write = this.#fly(flight, parts, at).finally(() => {
      this.#open.delete(write);
      this.#options.onRoom();
    });
    this.#open.add(write);
  }

  async drained(): Promise<void> {
    this.push();
    while (this.#open.size > 0) await Promise.all(this.#open);
  }

  reset(offsetBytes: number): void {
    this.#gathered = [];
    this.#gatheredBytes = 0;
    this.#flights = [];
    this.failure = null;
    this.#launchedBytes = offsetBytes;
    this.writtenBytes = offsetBytes;
  }

  async #fly(flight: Flight, parts: Buffer[], at: number): Promise<void> {
    try {
      await writeAll(this.#options.handle, parts, at);
      flight.state = 'done';
    } catch (error) {
      this.failure ??= { error };
      flight.state = 'failed';
    }
    while (this.#flights[0]?.state === 'done') {
      this.writtenBytes = this.#flights.shift()?.endBytes ?? this.writtenBytes;
    }
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
