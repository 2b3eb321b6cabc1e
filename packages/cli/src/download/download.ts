import { once } from 'node:events';
import type { FileHandle } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { routes } from '@wcc/api';
import type { Image } from '@wcc/api';
import { ApiProblem } from '@wcc/api/client';
import type { Context } from '../runtime/context.ts';
import { CliError, onLocalFile } from '../runtime/errors.ts';
import { SparseFile } from '../runtime/sparse-file.ts';
import { lostConnection, openRequest, readProblem } from '../server/http.ts';
import type { Server } from '../server/server.ts';
import { RetryDeadline, isRetryable } from '../server/retry-deadline.ts';
import type { Partial } from './partial.ts';
import { beginPartial, partialOf, publishPartial, readPartial, reopenPartial } from './partial.ts';
import type { DownloadProgress } from './download-progress.ts';

export interface DownloadOptions {
  image: Image;
  target: string;
  giveUpAfterMs: number;
  progress: DownloadProgress;
  /** Gets a line when the download tries again. */
  report: (text: string) => void;
}

/** A connection without data for this time is dead. */
export const idleMs = 60_000;
/** Size of one write; many small writes would be slow. */
const pieceBytes = 1_048_576;

/**
 * Downloads an image to a partial file, which gets its final name when it is complete. Resumes an interrupted download.
 *
 * @throws CliError if the download cannot complete, or on Ctrl-C
 */
export async function download(context: Context, server: Server, options: DownloadOptions): Promise<void> {
  const partial = partialOf(options.target);
  const deadline = new RetryDeadline(options.giveUpAfterMs, {
    hint: `The data is in ${partial.path}. Run the same command again to resume.`,
    report: options.report,
  });
  for (;;) {
    try {
      await fetchRest(server, partial, { ...options, deadline, signal: context.interrupt });
      return await onLocalFile(() => publishPartial(partial, options.target));
    } catch (error) {
      if (context.interrupt.aborted) throw stoppedError(context, partial);
      if (!isRetryable(error)) throw error;
      await deadline.wait(error, context.interrupt).catch((reason: unknown) => {
        throw context.interrupt.aborted ? stoppedError(context, partial) : reason;
      });
    }
  }
}

interface Fetching extends DownloadOptions {
  deadline: RetryDeadline;
  signal: AbortSignal;
}

async function fetchRest(server: Server, partial: Partial, fetching: Fetching): Promise<void> {
  const earlier = await readPartial(partial);
  const request = openRequest(server, {
    method: 'GET',
    path: routes.downloadImage(fetching.image.id),
    // RFC 9110, If-Range: if the image has changed, the server sends all of it.
    headers: earlier === null ? {} : { range: `bytes=${earlier.offsetBytes}-`, 'if-range': earlier.etag },
    signal: fetching.signal,
  });
  request.setTimeout(idleMs, () => request.destroy(new Error('No data arrived for a minute.')));
  request.end();
  try {
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    request.on('error', () => undefined);
    await receive(response, partial, { ...fetching, earlier });
  } catch (error) {
    const isFinal = error instanceof ApiProblem || error instanceof CliError;
    throw isFinal ? error : lostConnection(error);
  } finally {
    request.destroy();
  }
}

async function receive(
  response: IncomingMessage,
  partial: Partial,
  fetching: Fetching & { earlier: { offsetBytes: number } | null },
): Promise<void> {
  const { earlier, image, progress, deadline } = fetching;
  const { statusCode, headers } = response;
  // 416: the partial file already has all bytes, or too many.
  if (statusCode === 416 && earlier?.offsetBytes === image.sizeBytes) return;
  if (statusCode !== 200 && statusCode !== 206) throw await readProblem(response);
  const isRest = statusCode === 206;
  const handle = await onLocalFile(() =>
    isRest ? reopenPartial(partial) : beginPartial(partial, headers.etag ?? ''),
  );
  const file = new SparseFile(handle, isRest ? (earlier?.offsetBytes ?? 0) : 0);
  const total = file.offset + Number(headers['content-length']);
  progress.start(file.offset, total);
  try {
    for await (const piece of collectPieces(response)) {
      await onLocalFile(() => file.append(piece));
      deadline.progressed(file.offset);
      progress.update(file.offset);
    }
    if (file.offset !== total) throw new Error('The answer is incomplete.');
  } finally {
    // Keeps the received bytes, including a hole at the end.
    await onLocalFile(() => finishAndClose(file, handle));
  }
}

async function finishAndClose(file: SparseFile, handle: FileHandle): Promise<void> {
  try {
    await file.finish();
  } finally {
    await handle.close();
  }
}

async function* collectPieces(response: IncomingMessage): AsyncGenerator<Buffer> {
  let pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    pieces.push(piece);
    length += piece.length;
    if (length < pieceBytes) continue;
    yield Buffer.concat(pieces, length);
    [pieces, length] = [[], 0];
  }
  if (length > 0) yield Buffer.concat(pieces, length);
}

function stoppedError({ interrupt }: Context, { path }: Partial): CliError {
  const reason: unknown = interrupt.reason;
  const exit = reason instanceof CliError ? reason.exit : 'interrupted';
  return new CliError(exit, 'Stopped.', {
    hint: `The data is in ${path}. Run the same command again to resume.`,
  });
}
