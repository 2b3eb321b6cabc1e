import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { errorRegistry } from '@wcc/api';
import type { Problem } from '@wcc/api';
import { ApiProblem } from '@wcc/api/client';
import { startRequest } from './http-fetch.ts';
import type { Server } from './server.ts';

/** A request without a typed body. */
export interface RawRequest {
  method: string;
  path: string;
  headers?: OutgoingHttpHeaders;
  signal?: AbortSignal;
}

/** Opens a request with a stream as body or answer, which the typed JSON client does not support. */
export function openRequest({ origin, token, pins }: Server, options: RawRequest): ClientRequest {
  const { method, path, headers, signal } = options;
  return startRequest(origin + path, {
    method,
    headers: { ...headers, authorization: `Bearer ${token}` },
    pins,
    ...(signal === undefined ? {} : { signal }),
  });
}

/** Reads the problem of an answer, as the typed client would throw it. */
export async function readProblem(response: IncomingMessage): Promise<ApiProblem> {
  const status = response.statusCode ?? 0;
  const retryAfterS = Number.parseInt(response.headers['retry-after'] ?? '', 10);
  const options = { retryAfterS: Number.isNaN(retryAfterS) ? null : retryAfterS };
  const body = parse(await readText(response));
  if (body !== null) return new ApiProblem(body, options);
  return new ApiProblem(unknownProblem(status), options);
}

/** The problem of a missing or incomplete answer. */
export function lostConnection(cause?: unknown): ApiProblem {
  const title = 'The connection was lost.';
  const hint = 'Check the network.';
  return new ApiProblem({ type: 'about:blank', title, status: 0, code: 'unreachable', hint }, { cause });
}

const maxBytes = 65_536;

async function readText(response: IncomingMessage): Promise<string> {
  let text = '';
  try {
    for await (const part of response.setEncoding('utf8')) {
      text += String(part);
      if (text.length > maxBytes) break;
    }
  } catch {
    // Ignores an incomplete body, because the status is enough.
  }
  return text;
}

function parse(text: string): Problem | null {
  try {
    const body = JSON.parse(text) as Problem;
    return typeof body.code === 'string' ? body : null;
  } catch {
    return null;
  }
}

/** The problem of an answer without a problem body: to HEAD, or from a proxy. */
function unknownProblem(status: number): Problem {
  const known = Object.entries(errorRegistry).find(
    ([code, entry]) => entry.status === status && code in byStatus,
  );
  if (known !== undefined) {
    const [code, { message, hint }] = known;
    return { type: 'about:blank', title: message, status, code, hint };
  }
  const title = `The server, or a proxy in front of it, answered ${status}.`;
  const hint =
    status === 413
      ? 'A proxy refuses bodies of this size. Raise its limit.'
      : 'Check the address and the proxy.';
  return { type: 'about:blank', title, status, code: 'foreign_answer', hint };
}

/** Codes that follow from the status alone. */
const byStatus = { unauthenticated: 401, not_found: 404, upload_gone: 410, upload_locked: 423 };
