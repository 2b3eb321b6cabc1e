import { once } from 'node:events';
import type { FileHandle } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { routes } from '@wcc/api';
import type { Image } from '@wcc/api';
import { ApiProblem } from '@wcc/api/client';
import type { Context } from '../runtime/context.ts';
import { CliError } from '../runtime/errors.ts';
import { lostConnection, openRequest, readProblem } from '../server/http.ts';
import type { Server } from '../server/server.ts';
import { Patience, passes } from '../server/retry-deadline.ts';
import type { Partial } from './partial.ts';
import { beginPartial, partialOf, publishPartial, readPartial, reopenPartial } from './partial.ts';
import type { Report } from './download-progress.ts';
import { SparseFile } from './sparse-file.ts';

export interface DownloadOptions {
  image: Image;
  target: string;
  giveUpAfterMs: number;
  report: Report;
}

/** Nothing came for so long: the connection is dead. */
const idleMs = 60_000;
/** So many bytes at once: small writes cost more than the bytes. */
const gatherBytes = 1_048_576;

/** Fetches an image into a file that appears under its name when it is whole; goes on where an earlier try ended. */
export async function download(context: Context, server: Server, options: DownloadOptions): Promise<void> {
  const partial = partialOf(options.target);
  const patience = new Patience(
    options.giveUpAfterMs,
    `${partial.path} is kept. Give the same command again to go on.`,
  );
  for (;;) {
    try {
      await fetchRest(server, partial, { ...options, patience, signal: context.interrupt });
      return await publishPartial(partial, options.target);
    } catch (error) {
      if (context.interrupt.aborted) throw stopped(context, partial);
      if (!passes(error)) throw error;
      await patience.wait(error, context.interrupt).catch((reason: unknown) => {
        throw context.interrupt.aborted ? stopped(context, partial) : reason;
      });
    }
  }
}

interface Fetching extends DownloadOptions {
  patience: Patience;
  signal: AbortSignal;
}

async function fetchRest(server: Server, partial: Partial, fetching: Fetching): Promise<void> {
  const begun = await readPartial(partial);
  const request = openRequest(server, {
    method: 'GET',
    path: routes.downloadImage(fetching.image.id),
    // RFC 9110, If-Range: another version comes whole.
    headers: begun === null ? {} : { range: `bytes=${begun.offsetBytes}-`, 'if-range': begun.etag },
    signal: fetching.signal,
  });
  request.setTimeout(idleMs, () => request.destroy(new Error('No byte came for a minute.')));
  request.end();
  try {
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    request.on('error', () => undefined);
    await receive(response, partial, { ...fetching, begun });
  } catch (error) {
    const isTold = error instanceof ApiProblem || error instanceof CliError;
    throw isTold || isLocal(error) ? error : lostConnection(error);
  } finally {
    request.destroy();
  }
}

async function receive(
  response: IncomingMessage,
  partial: Partial,
  fetching: Fetching & { begun: { offsetBytes: number } | null },
): Promise<void> {
  const { begun, image, report, patience } = fetching;
  const { statusCode, headers } = response;
  // 416: everything is there already, or more than there should be.
  if (statusCode === 416 && begun?.offsetBytes === image.sizeBytes) return;
  if (statusCode !== 200 && statusCode !== 206) throw await readProblem(response);
  const isRest = statusCode === 206;
  const handle = isRest ? await reopenPartial(partial) : await beginPartial(partial, headers.etag ?? '');
  const file = new SparseFile(handle, isRest ? (begun?.offsetBytes ?? 0) : 0);
  const total = file.offset + Number(headers['content-length']);
  report.begin(file.offset, total);
  try {
    for await (const piece of gather(response)) {
      await file.append(piece);
      patience.moved(file.offset);
      report.moved(file.offset);
    }
    if (file.offset !== total) throw new Error('The answer ended too early.');
  } finally {
    // What came counts, a hole at its end included.
    await finishAndClose(file, handle);
  }
}

async function finishAndClose(file: SparseFile, handle: FileHandle): Promise<void> {
  try {
    await file.finish();
  } finally {
    await handle.close();
  }
}

async function* gather(response: IncomingMessage): AsyncGenerator<Buffer> {
  let pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    pieces.push(piece);
    length += piece.length;
    if (length < gatherBytes) continue;
    yield Buffer.concat(pieces, length);
    [pieces, length] = [[], 0];
  }
  if (length > 0) yield Buffer.concat(pieces, length);
}

/** A full disk, a directory without permission: a retry changes nothing. */
function isLocal(error: unknown): boolean {
  const { code, syscall } = error as NodeJS.ErrnoException;
  return (
    code !== undefined &&
    ['open', 'write', 'ftruncate', 'fsync', 'rename', 'unlink', 'rm'].includes(syscall ?? '')
  );
}

function stopped({ interrupt }: Context, { path }: Partial): CliError {
  const reason: unknown = interrupt.reason;
  const exit = reason instanceof CliError ? reason.exit : 'interrupted';
  return new CliError(exit, 'Stopped.', {
    hint: `What came is in ${path}. Give the same command again to go on.`,
  });
}
