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

export function createByteSink({ handle, offsetBytes, onRoom }: ByteSinkOptions): ByteSink {
  let gathered: Buffer[] = [];
  let gatheredBytes = 0;
  let launchedBytes = offsetBytes;
  let writtenBytes = offsetBytes;
  let failure: ByteSink['failure'] = null;
  /** In the order of their places in the file. */
  let flights: Flight[] = [];
  const open = new Set<Promise<void>>();

  function land(flight: Flight, state: 'done' | 'failed'): void {
    flight.state = state;
    while (flights[0]?.state === 'done') writtenBytes = flights.shift()?.endBytes ?? writtenBytes;
  }
  function push(): void {
    if (gatheredBytes === 0) return;
    const [parts, at] = [gathered, launchedBytes];
    launchedBytes += gatheredBytes;
    gathered = [];
    gatheredBytes = 0;
    const flight: Flight = { endBytes: launchedBytes, state: 'open' };
    flights.push(flight);
    const write = writeAll(handle, parts, at)
      .then(
        () => land(flight, 'done'),
        (error: unknown) => {
          failure ??= { error };
          land(flight, 'failed');
        },
      )
      .finally(() => {
        open.delete(write);
        onRoom();
      });
    open.add(write);
  }

  return {
    get writtenBytes() {
      return writtenBytes;
    },
    get takenBytes() {
      return launchedBytes + gatheredBytes;
    },
    get isFull() {
      return open.size >= mostInFlight;
    },
    get failure() {
      return failure;
    },
    put(chunk) {
      gathered.push(chunk);
      gatheredBytes += chunk.length;
      if (gatheredBytes >= batchBytes) push();
    },
    push,
    async drained() {
      push();
      while (open.size > 0) await Promise.all(open);
    },
    reset(to) {
      [gathered, gatheredBytes, flights, failure] = [[], 0, [], null];
      [launchedBytes, writtenBytes] = [to, to];
    },
  };
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
