import { ApiError } from '@wcc/api';
import { createDurableWriter } from '@wcc/copy/receive';
import type { PartialFile } from '@wcc/copy/receive';
import type { HeadJudge } from '../foreign/head-judge.ts';

/**
 * Bytes of one sync. The disk writes while bytes arrive, and little is left for the end. The offset is recorded less
 * often: a crash loses at most two seconds, and never more than `atRiskBytes` of the writer.
 */
const syncBytes = 16 * 1024 ** 2;

export interface ReceiveOptions {
  file: PartialFile;
  offsetBytes: number;
  /** Length of the file as announced by the other server; null: it announced none. */
  endBytes: number | null;
  signal: AbortSignal;
  /** Judges the first bytes while the others are still on their way. */
  head: HeadJudge;
  onMoved: (doneBytes: number, durableBytes: number) => void;
  /**
   * Called before bytes are written, with the offset after them. Rejects to refuse them, for example without
   * space.
   */
  beforeWrite: (endBytes: number) => Promise<void>;
}

/**
 * Appends the body of an answer to the file. The caller closes the answer. Bytes that arrived before a failure become durable too, so that
 * the next attempt resumes after them.
 *
 * @returns the offset at the end of the body
 * @throws ApiError `import_failed` for more bytes than announced: a wrong length could fill the disk; the refusal of
 * the first bytes
 */
export async function receiveBody(body: AsyncIterable<Buffer>, options: ReceiveOptions): Promise<number> {
  const { file, offsetBytes, signal, onMoved } = options;
  const endBytes = options.endBytes ?? Number.MAX_SAFE_INTEGER;
  const writer = createDurableWriter({
    file,
    offsetBytes,
    syncBytes,
    onChange: () => onMoved(writer.writtenBytes, writer.durableBytes),
  });
  try {
    for await (const part of body) {
      signal.throwIfAborted();
      const end = writer.takenBytes + part.length;
      if (end > endBytes) throw tooManyBytes();
      await options.beforeWrite(end);
      const refusal = options.head.take(part, writer.takenBytes);
      if (refusal !== null) throw refusal;
      writer.write(part);
      await writer.ready();
      if (writer.failure !== null) throw writer.failure.error;
    }
    await writer.flush();
    return writer.durableBytes;
  } catch (error) {
    // The first failure is reported. If the disk fails now as well, the next attempt reports that.
    await writer.flush().catch(() => {});
    throw error;
  } finally {
    writer.close();
  }
}

function tooManyBytes(): ApiError {
  return new ApiError('import_failed', { message: 'The server sends more bytes than it announced.' });
}
