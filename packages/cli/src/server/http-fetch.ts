import { once } from 'node:events';
import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import { request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { text } from 'node:stream/consumers';
import type { ApiRequestInit, ApiResponse } from '@wcc/api/client';

/** Opens a request on a connection of its own, because a kept-alive connection may be dead. */
export function startRequest(url: string, options: RequestOptions): ClientRequest {
  const send = url.startsWith('https:') ? tlsRequest : plainRequest;
  return send(url, { ...options, agent: false });
}

/** An answer with its cookies, for the sign-in. */
export interface HttpResponse extends ApiResponse {
  readonly cookies: readonly string[];
}

/**
 * Sends the requests of the typed client. Node's own `fetch` needs twice the processor time of a bare start. Redirects
 * are not followed, so a token stays with its server.
 */
export async function httpFetch(
  url: string,
  { method, headers, signal, body }: ApiRequestInit,
): Promise<HttpResponse> {
  // Without a length, Node sends the body of a DELETE behind a request that has none.
  const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
  const outgoing = startRequest(url, { method, headers: { ...headers, ...length }, signal });
  const answered = once(outgoing, 'response') as Promise<[IncomingMessage]>;
  outgoing.end(body);
  const [response] = await answered;
  // A later failure is an error of the body.
  outgoing.on('error', () => {});
  const { statusCode: status = 0 } = response;
  if (status === 204) response.resume();
  return {
    ok: status >= 200 && status < 300,
    status,
    headers: { get: (name) => [response.headers[name.toLowerCase()] ?? []].flat().join(', ') || null },
    cookies: response.headers['set-cookie'] ?? [],
    json: async () => JSON.parse(await text(response)) as unknown,
  };
}
