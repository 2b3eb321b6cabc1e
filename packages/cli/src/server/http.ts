import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { errorRegistry } from '@wcc/api';
import type { Problem } from '@wcc/api';
import { ApiProblem } from '@wcc/api/client';
import type { Server } from './server.ts';

export interface RawRequest {
  method: string;
  path: string;
  headers?: OutgoingHttpHeaders;
  signal?: AbortSignal;
}

/** A request whose body is a stream: what the typed client, which speaks JSON, is not for. */
export function openRequest({ origin, token }: Server, options: RawRequest): ClientRequest {
  const send = origin.startsWith('https:') ? tlsRequest : plainRequest;
  const { method, path, headers, signal } = options;
  return send(origin + path, {
    method,
    // A connection of its own: one that was kept may be dead without anybody knowing.
    agent: false,
    headers: { ...headers, authorization: `Bearer ${token}` },
    ...(signal === undefined ? {} : { signal }),
  });
}

/** The answer's problem, as the typed client would throw it. */
export async function readProblem(response: IncomingMessage): Promise<ApiProblem> {
  const status = response.statusCode ?? 0;
  const retryAfterS = Number.parseInt(response.headers['retry-after'] ?? '', 10);
  const options = { retryAfterS: Number.isNaN(retryAfterS) ? null : retryAfterS };
  const body = parse(await readText(response));
  if (body !== null) return new ApiProblem(body, options);
  return new ApiProblem(foreign(status), options);
}

/** An answer that did not come, or not whole. */
export function lostConnection(cause?: unknown): ApiProblem {
  const title = 'The connection was lost.';
  const hint = 'Check the network.';
  return new ApiProblem({ type: 'about:blank', title, status: 0, code: 'unreachable', hint }, { cause });
}

const mostBytes = 65_536;

async function readText(response: IncomingMessage): Promise<string> {
  let text = '';
  try {
    for await (const part of response.setEncoding('utf8')) {
      text += String(part);
      if (text.length > mostBytes) break;
    }
  } catch {
    // Cut off: the status says enough.
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

/** No words of ours: an answer to HEAD has no body, and a proxy has a page of its own. */
function foreign(status: number): Problem {
  const known = Object.entries(errorRegistry).find(
    ([code, entry]) => entry.status === status && code in byStatus,
  );
  if (known !== undefined) {
    const [code, { message, hint }] = known;
    return { type: 'about:blank', title: message, status, code, hint };
  }
  const title = `The server, or a proxy before it, answered ${status}.`;
  const hint =
    status === 413
      ? 'A proxy refuses bodies of this size: raise its limit.'
      : 'Check the address and the proxy.';
  return { type: 'about:blank', title, status, code: 'foreign_answer', hint };
}

/** Codes that their status names alone. */
const byStatus = { unauthenticated: 401, not_found: 404, upload_gone: 410, upload_locked: 423 };
