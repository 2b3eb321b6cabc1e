import { once } from 'node:events';
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { routes, tus } from '@wcc/api';
import type { ImageFormat } from '@wcc/api';
import { ApiProblem } from '@wcc/api/client';
import { openRequest, readProblem } from '../server/http.ts';
import type { Server } from '../server/server.ts';
import type { LocalFile } from './local-file.ts';

/** The image to create, as sent in `Upload-Metadata`. */
export interface UploadTarget {
  /** Name of the image. */
  name: string;
  pool: string | undefined;
  sha256: string | undefined;
  format: ImageFormat | undefined;
}

const answerWithinMs = 30_000;

/** tus "Creation". @returns the id of the upload, which is also the id of its operation */
export async function createUpload(server: Server, file: LocalFile, target: UploadTarget): Promise<string> {
  const metadata = {
    filename: target.name,
    pool: target.pool,
    sha256: target.sha256,
    format: target.format,
    lastModified: String(file.modifiedMs),
  };
  const pairs = Object.entries(metadata).filter((pair): pair is [string, string] => pair[1] !== undefined);
  const response = await sendRequest(server, {
    method: 'POST',
    path: routes.uploads(),
    headers: {
      'upload-length': file.sizeBytes,
      'upload-metadata': pairs
        .map(([key, value]) => `${key} ${Buffer.from(value).toString('base64')}`)
        .join(','),
      'content-length': 0,
    },
  });
  const id = response.headers.location?.split('/').at(-1);
  if (response.statusCode !== 201 || id === undefined) throw await readProblem(response);
  response.resume();
  return decodeURIComponent(id);
}

/** tus "Core". @returns the durable offset of the server */
export async function fetchOffset(server: Server, id: string, signal: AbortSignal): Promise<number> {
  const response = await sendRequest(server, { method: 'HEAD', path: routes.upload(id), signal });
  const offset = Number(response.headers['upload-offset']);
  if (response.statusCode !== 200 || !Number.isSafeInteger(offset)) throw await readProblem(response);
  response.resume();
  return offset;
}

/** tus "Termination": discards the upload. */
export async function removeUpload(server: Server, id: string): Promise<void> {
  const response = await sendRequest(server, { method: 'DELETE', path: routes.upload(id) });
  if (response.statusCode !== 204) throw await readProblem(response);
  response.resume();
}

interface TusRequest {
  method: string;
  path: string;
  headers?: OutgoingHttpHeaders;
  signal?: AbortSignal;
}

async function sendRequest(
  server: Server,
  { signal, headers, ...question }: TusRequest,
): Promise<IncomingMessage> {
  const limit = AbortSignal.timeout(answerWithinMs);
  const request = openRequest(server, {
    ...question,
    headers: { ...headers, 'tus-resumable': tus.version },
    signal: signal === undefined ? limit : AbortSignal.any([limit, signal]),
  });
  request.end();
  try {
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    // Errors after the answer do not matter.
    request.on('error', () => undefined);
    return response;
  } catch (cause) {
    throw unreachableProblem(cause);
  }
}

/** The problem of an unreachable server, as the typed client reports it. */
export function unreachableProblem(cause: unknown): ApiProblem {
  const title = 'The server cannot be reached.';
  const hint = 'Check the network. The data on the server is safe.';
  return new ApiProblem({ type: 'about:blank', title, status: 0, code: 'unreachable', hint }, { cause });
}
