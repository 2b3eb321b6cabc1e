import { routes } from '@wcc/api';
import { ApiProblem, foreignAnswer, readProblem } from '@wcc/api/client';

const version = { 'tus-resumable': '1.0.0' };

export interface NewUpload {
  name: string;
  sizeBytes: number;
  lastModified: number;
  pool?: string;
  sha256?: string;
}

/** Request of this file: its headers are a plain object. */
interface Request extends RequestInit {
  headers?: Record<string, string>;
}

type Fetch = (path: string, init: RequestInit) => Promise<Response>;

export interface Answer {
  offsetBytes: number;
}

/** The three requests of tus 1.0 that the console needs. Each creation creates an operation. */
export interface Tus {
  /** @returns id of the upload, which is also the id of its operation */
  create(upload: NewUpload, key: string): Promise<string>;
  /** The offset to resume at: bytes that are durable on the server. */
  offset(id: string, signal: AbortSignal): Promise<Answer>;
  /** @returns the new durable offset */
  send(id: string, part: { offsetBytes: number; bytes: ArrayBuffer }, signal: AbortSignal): Promise<Answer>;
}

/** Rejects with `ApiProblem`; network errors have the status 0. */
export function createTus(doFetch: Fetch): Tus {
  const ask = async (path: string, init: Request): Promise<Response> => {
    let response: Response;
    try {
      response = await doFetch(path, { ...init, headers: { ...version, ...init.headers } });
    } catch (cause) {
      throw unreachable(cause);
    }
    if (!response.ok) throw await readProblem(response);
    return response;
  };
  return {
    create: async (upload, key) => {
      const headers = {
        'upload-length': String(upload.sizeBytes),
        'upload-metadata': metadataOf(upload),
        'idempotency-key': key,
      };
      const response = await ask(routes.uploads(), { method: 'POST', headers });
      return response.headers.get('location')?.split('/').at(-1) ?? '';
    },
    offset: async (id, signal) => answerOf(await ask(routes.upload(id), { method: 'HEAD', signal })),
    send: async (id, { offsetBytes, bytes }, signal) => {
      const headers = {
        'content-type': 'application/offset+octet-stream',
        'upload-offset': String(offsetBytes),
      };
      // A Blob moves the bytes out of the page's process, so that request observers get no copy of them.
      const body = new Blob([bytes]);
      return answerOf(await ask(routes.upload(id), { method: 'PATCH', headers, body, signal }));
    },
  };
}

/** An answer without an offset comes from a proxy, even with a status of success. */
function answerOf(response: Response): Answer {
  const offsetBytes = Number(response.headers.get('upload-offset') ?? Number.NaN);
  if (!Number.isSafeInteger(offsetBytes)) throw foreignAnswer(response.status);
  return { offsetBytes };
}

/** Keys with values in base64 of UTF-8 (tus 1.0, Upload-Metadata). */
function metadataOf({ name, lastModified, pool, sha256 }: NewUpload): string {
  const pairs = { filename: name, lastModified: String(lastModified), pool, sha256 };
  return Object.entries(pairs)
    .filter((pair): pair is [string, string] => pair[1] !== undefined)
    .map(([key, value]) => `${key} ${base64(value)}`)
    .join(',');
}

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}

const unreachable = (cause: unknown): ApiProblem =>
  new ApiProblem(
    { type: 'about:blank', title: 'No connection.', status: 0, code: 'unreachable', hint: '' },
    { cause },
  );
