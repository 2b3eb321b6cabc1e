import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { routes } from '@wcc/api';
import type { Image } from '@wcc/api';
import { ApiProblem } from '@wcc/api/client';
import type { Context, Output } from '../runtime/context.ts';
import { CliError } from '../runtime/errors.ts';
import { lostConnection, openRequest, readProblem } from '../server/http.ts';
import { isRetryable, RetryDeadline } from '../server/retry-deadline.ts';
import type { Server } from '../server/server.ts';
import type { DownloadOptions } from './download.ts';
import { idleMs } from './download.ts';

/** What the output has already. */
interface Sent {
  offsetBytes: number;
  /** Of the image that these bytes are from. */
  etag: string | null;
}

/**
 * Writes an image to standard output. A connection that breaks is resumed; bytes that were written cannot be taken back, so an
 * image that changes ends the download.
 *
 * @throws CliError if the download cannot complete, or on Ctrl-C
 */
export async function downloadToOutput(
  { stdout, interrupt }: Pick<Context, 'stdout' | 'interrupt'>,
  server: Server,
  options: Omit<DownloadOptions, 'target'>,
): Promise<void> {
  const { giveUpAfterMs, report } = options;
  const hint = 'The output is incomplete: discard what was made of it, and start again.';
  const deadline = new RetryDeadline(giveUpAfterMs, { hint, report });
  const sent: Sent = { offsetBytes: 0, etag: null };
  for (;;) {
    try {
      return await sendRest(server, { ...options, stdout, sent, deadline, signal: interrupt });
    } catch (error) {
      interrupt.throwIfAborted();
      if (!isRetryable(error)) throw error;
      await deadline.wait(error, interrupt).catch((reason: unknown) => {
        interrupt.throwIfAborted();
        throw reason;
      });
    }
  }
}

interface Sending extends Pick<DownloadOptions, 'image' | 'progress'> {
  stdout: Output;
  sent: Sent;
  deadline: RetryDeadline;
  signal: AbortSignal;
}

async function sendRest(server: Server, sending: Sending): Promise<void> {
  const { image, sent, signal } = sending;
  const { offsetBytes, etag } = sent;
  const request = openRequest(server, {
    method: 'GET',
    path: routes.downloadImage(image.id),
    headers: etag === null ? {} : { range: `bytes=${offsetBytes}-`, 'if-range': etag },
    signal,
  });
  request.setTimeout(idleMs, () => request.destroy(new Error('No data arrived for a minute.')));
  request.end();
  try {
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    request.on('error', () => undefined);
    await copy(response, sending);
  } catch (error) {
    const isFinal = error instanceof ApiProblem || error instanceof CliError;
    throw isFinal ? error : lostConnection(error);
  } finally {
    request.destroy();
  }
}

async function copy(
  response: IncomingMessage,
  { image, progress, stdout, sent, deadline }: Sending,
): Promise<void> {
  const { statusCode, headers } = response;
  if (statusCode === 416 && sent.offsetBytes === image.sizeBytes) return;
  if (statusCode !== 200 && statusCode !== 206) throw await readProblem(response);
  if (statusCode === 200 && sent.offsetBytes > 0) throw imageChanged(image);
  sent.etag = headers.etag ?? null;
  const total = sent.offsetBytes + Number(headers['content-length']);
  progress.start(sent.offsetBytes, total);
  for await (const piece of response as AsyncIterable<Buffer>) {
    await write(stdout, piece);
    sent.offsetBytes += piece.length;
    deadline.progressed(sent.offsetBytes);
    progress.update(sent.offsetBytes);
  }
  if (sent.offsetBytes !== total) throw new Error('The answer is incomplete.');
}

/** At the speed of the reader. An error of the output ends the program elsewhere. */
function write(stdout: Output, piece: Buffer): Promise<void> {
  return new Promise((resolve) => void stdout.write(piece, () => resolve()));
}

function imageChanged({ name }: Image): CliError {
  return new CliError('failed', `The image "${name}" changed during the download.`, {
    code: 'source_changed',
    hint: 'The output is incomplete: discard what was made of it, and start again.',
  });
}
