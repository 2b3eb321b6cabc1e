import { ApiError } from '@wcc/api';
import type { ReceivedFile } from '@wcc/copy';
import type { IncomingMessage } from 'node:http';

/** Gathered to so much before it is written. */
const batchBytes = 1024 ** 2;
/** Synced and recorded so often: what a crash can cost. */
const syncBytes = 64 * 1024 ** 2;
const syncMs = 2_000;

export interface ReceiveOptions {
  file: ReceivedFile;
  offsetBytes: number;
  /** Where the file ends, by what the other server said; null: it did not say. */
  endBytes: number | null;
  signal: AbortSignal;
  onMoved: (doneBytes: number, durableBytes: number) => void;
  /** Called before each write, with the offset behind it: may refuse, e.g. for want of room. */
  beforeWrite: (endBytes: number) => Promise<void>;
}

/**
 * Writes the body of an answer behind what is there already. Every offset that is told as durable was synced and
 * then recorded. Bytes that came before a failure are made durable too: the next attempt goes on behind them.
 *
 * @returns the offset at the end of the body
 * @throws ApiError `import_failed` for more bytes than were announced: whoever lies about the length could fill the disk
 */
export async function receiveBody(answer: IncomingMessage, options: ReceiveOptions): Promise<number> {
  const { file, signal, onMoved } = options;
  let written = options.offsetBytes;
  let durable = options.offsetBytes;
  let syncedAtMs = performance.now();
  let parts: Buffer[] = [];
  let gathered = 0;
  const write = async (): Promise<void> => {
    const bytes = Buffer.concat(parts, gathered);
    [parts, gathered] = [[], 0];
    for (let at = 0; at < bytes.length;) {
      const { bytesWritten } = await file.handle.write(bytes, at, bytes.length - at, written);
      at += bytesWritten;
      written += bytesWritten;
    }
    onMoved(written, durable);
  };
  const grow = async (): Promise<void> => {
    await options.beforeWrite(written + gathered);
    await write();
  };
  const sync = async (): Promise<void> => {
    const reached = written;
    if (reached !== durable) {
      await file.handle.datasync();
      await file.record(reached);
      durable = reached;
    }
    syncedAtMs = performance.now();
    onMoved(written, durable);
  };
  try {
    for await (const part of answer as AsyncIterable<Buffer>) {
      signal.throwIfAborted();
      if (written + gathered + part.length > (options.endBytes ?? Number.MAX_SAFE_INTEGER)) throw tooMuch();
      parts.push(part);
      gathered += part.length;
      if (gathered >= batchBytes) await grow();
      if (written - durable < syncBytes && performance.now() - syncedAtMs < syncMs) continue;
      // A slow network is no reason to show nothing.
      if (gathered > 0) await grow();
      await sync();
    }
    return await finish(write, sync, () => written);
  } catch (error) {
    answer.destroy();
    // The first failure is what is told; a disk that fails now as well shows at the next attempt.
    await finish(write, sync, () => written).catch(() => {});
    throw error;
  }
}

function tooMuch(): ApiError {
  return new ApiError('import_failed', { message: 'The server sends more bytes than it announced.' });
}

async function finish(
  write: () => Promise<void>,
  sync: () => Promise<void>,
  written: () => number,
): Promise<number> {
  await write();
  await sync();
  return written();
}
