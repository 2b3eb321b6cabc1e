import { once } from 'node:events';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { routes, tus } from '@wcc/api';
import { ApiProblem } from '@wcc/api/client';
import { openRequest, readProblem } from '../server/http.ts';
import type { Server } from '../server/server.ts';
import { CliError } from '../runtime/errors.ts';
import type { LocalFile } from './local-file.ts';
import { unreachable } from './tus.ts';

/** Nothing moved for so long: the connection is dead, whatever it says. */
const idleMs = 60_000;
const pieceBytes = 1_048_576;

export interface Sending {
  id: string;
  file: LocalFile;
  offsetBytes: number;
  /** Null: as fast as it goes. */
  bytesPerSecond: number | null;
  signal: AbortSignal;
}

/**
 * One tus PATCH from an offset to the end of the file, from the disk at the pace of the socket.
 *
 * @returns the durable offset that the server answered
 * @throws ApiProblem for a refusal or a lost connection; CliError when the file changed
 */
export async function sendFrom(
  server: Server,
  { id, file, offsetBytes, bytesPerSecond, signal }: Sending,
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
  const idle = watchIdle(request);
  const answer = answerOf(request);
  try {
    await pour(request, answer, { file, offsetBytes, bytesPerSecond, signal });
    const response = await answer.promise;
    const offset = Number(response.headers['upload-offset']);
    if (response.statusCode !== 204 || !Number.isSafeInteger(offset)) throw await readProblem(response);
    response.resume();
    return offset;
  } catch (error) {
    if (error instanceof CliError || error instanceof ApiProblem) throw error;
    // An early refusal explains the reset that follows it.
    const { early } = answer;
    throw early === null || early.statusCode === 204 ? unreachable(error) : await readProblem(early);
  } finally {
    idle.stop();
    request.destroy();
  }
}

interface Answer {
  promise: Promise<IncomingMessage>;
  /** What came already: a refusal may come before the last byte was sent. */
  readonly early: IncomingMessage | null;
}

function answerOf(request: ClientRequest): Answer {
  let early: IncomingMessage | null = null;
  const promise = once(request, 'response').then(([response]) => (early = response as IncomingMessage));
  promise.catch(() => undefined);
  // `once` takes the first error; a destroyed request has more of them.
  request.on('error', () => undefined);
  return {
    promise,
    get early() {
      return early;
    },
  };
}

async function pour(
  request: ClientRequest,
  answer: Answer,
  { file, offsetBytes, bytesPerSecond, signal }: Omit<Sending, 'id'>,
): Promise<void> {
  const startedAtMs = performance.now();
  const limit = bytesPerSecond ?? Number.POSITIVE_INFINITY;
  let sentBytes = 0;
  // With a limit in pieces of a quarter of a second, so that it is one also over short times.
  for await (const piece of file.read(offsetBytes, Math.min(pieceBytes, Math.ceil(limit / 4)))) {
    if (answer.early !== null) return;
    if (!request.write(piece)) {
      // Whatever ends the waiting otherwise, the answer or its failure says what it was.
      await Promise.race([once(request, 'drain').catch(() => undefined), answer.promise]);
    }
    sentBytes += piece.length;
    const aheadMs = (sentBytes / limit) * 1000 - (performance.now() - startedAtMs);
    if (aheadMs > 1) await sleep(aheadMs, undefined, { signal });
  }
  request.end();
}

/** Looks at the bytes that left: a network that swallows packets says nothing by itself. */
function watchIdle(request: ClientRequest): { stop: () => void } {
  let seen = -1;
  let sinceMs = performance.now();
  const timer = setInterval(() => {
    const now = request.socket?.bytesWritten ?? 0;
    const pending = request.socket?.writableLength ?? 0;
    const moved = now - pending;
    if (moved !== seen) [seen, sinceMs] = [moved, performance.now()];
    else if (performance.now() - sinceMs > idleMs) request.destroy(new Error('No byte moved for a minute.'));
  }, 1000);
  return { stop: () => clearInterval(timer) };
}
