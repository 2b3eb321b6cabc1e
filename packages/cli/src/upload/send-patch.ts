import { once } from 'node:events';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { routes, tus } from '@wcc/api';
import { ApiProblem } from '@wcc/api/client';
import { openRequest, readProblem } from '../server/http.ts';
import type { Server } from '../server/server.ts';
import { CliError } from '../runtime/errors.ts';
import type { LocalFile } from './local-file.ts';
import { unreachableProblem } from './tus.ts';

/** A connection without progress for this time is dead. */
const idleMs = 60_000;
const pieceBytes = 1_048_576;

export interface PatchOptions {
  id: string;
  file: LocalFile;
  offsetBytes: number;
  /** Null: no limit. */
  bytesPerSecond: number | null;
  signal: AbortSignal;
}

/**
 * Sends one tus PATCH from an offset to the end of the file, at the speed of the socket.
 *
 * @returns the durable offset in the server's answer
 * @throws ApiProblem for a refusal or a lost connection; CliError if the file changed
 */
export async function sendPatch(
  server: Server,
  { id, file, offsetBytes, bytesPerSecond, signal }: PatchOptions,
): Promise<number> {
  const request = openRequest(server, {
    method: 'PATCH',
    path: routes.upload(id),
    headers: {
      'tus-resumable': tus.version,
      'content-type': tus.contentType,
      'upload-offset': offsetBytes,
      'content-length': file.sizeBytes - offsetBytes,
    },
    signal,
  });
  const idle = destroyWhenIdle(request);
  const answer = awaitAnswer(request);
  try {
    await writeBody(request, answer, { file, offsetBytes, bytesPerSecond, signal });
    const response = await answer.promise;
    const offset = Number(response.headers['upload-offset']);
    if (response.statusCode !== 204 || !Number.isSafeInteger(offset)) throw await readProblem(response);
    response.resume();
    return offset;
  } catch (error) {
    if (error instanceof CliError || error instanceof ApiProblem) throw error;
    // After an early refusal the server resets the connection, so the refusal is the real reason.
    const { early } = answer;
    throw early === null || early.statusCode === 204 ? unreachableProblem(error) : await readProblem(early);
  } finally {
    idle.stop();
    request.destroy();
  }
}

interface PendingAnswer {
  promise: Promise<IncomingMessage>;
  /** The answer, if it has arrived; a refusal may arrive before the last byte is sent. */
  readonly early: IncomingMessage | null;
}

function awaitAnswer(request: ClientRequest): PendingAnswer {
  let early: IncomingMessage | null = null;
  const promise = once(request, 'response').then(([response]) => (early = response as IncomingMessage));
  promise.catch(() => undefined);
  // `once` handles only the first error of a destroyed request.
  request.on('error', () => undefined);
  return {
    promise,
    get early() {
      return early;
    },
  };
}

async function writeBody(
  request: ClientRequest,
  answer: PendingAnswer,
  { file, offsetBytes, bytesPerSecond, signal }: Omit<PatchOptions, 'id'>,
): Promise<void> {
  const startedAtMs = performance.now();
  const limit = bytesPerSecond ?? Number.POSITIVE_INFINITY;
  let sentBytes = 0;
  // A limited upload sends a quarter of a second's bytes at a time, so that the rate is even.
  for await (const piece of file.read(offsetBytes, Math.min(pieceBytes, Math.ceil(limit / 4)))) {
    if (answer.early !== null) return;
    if (!request.write(piece)) {
      // Without a drain event the answer, or its error, ends the wait.
      await Promise.race([once(request, 'drain').catch(() => undefined), answer.promise]);
    }
    sentBytes += piece.length;
    const aheadMs = (sentBytes / limit) * 1000 - (performance.now() - startedAtMs);
    if (aheadMs > 1) await sleep(aheadMs, undefined, { signal });
  }
  request.end();
}

/** Destroys a request without progress, because a network that drops packets reports no error. */
function destroyWhenIdle(request: ClientRequest): { stop: () => void } {
  let seen = -1;
  let sinceMs = performance.now();
  const timer = setInterval(() => {
    const now = request.socket?.bytesWritten ?? 0;
    const pending = request.socket?.writableLength ?? 0;
    const moved = now - pending;
    if (moved !== seen) [seen, sinceMs] = [moved, performance.now()];
    else if (performance.now() - sinceMs > idleMs)
      request.destroy(new Error('No data was sent for a minute.'));
  }, 1000);
  return { stop: () => clearInterval(timer) };
}
