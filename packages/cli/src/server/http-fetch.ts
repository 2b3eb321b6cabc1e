import { once } from 'node:events';
import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import { request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { text } from 'node:stream/consumers';
import type { ApiRequestInit, ApiResponse } from '@wcc/api/client';
import { createPinnedAgent } from '@wcc/api/pins';
import type { Pins } from './trust.ts';

/** Opens a request on a connection of its own, because a kept-alive connection may be dead. */
export function startRequest(url: string, options: RequestOptions & { pins: Pins }): ClientRequest {
  const { pins, ...request } = options;
  const isTls = url.startsWith('https:');
  const agent = isTls && pins.length > 0 ? createPinnedAgent(pins) : false;
  return (isTls ? tlsRequest : plainRequest)(url, { ...request, agent });
}

/** An answer with its cookies, for the sign-in. */
export interface HttpResponse extends ApiResponse {
  readonly cookies: readonly string[];
}

/** Sends the requests of the typed client. */
export type HttpFetch = (url: string, init: ApiRequestInit) => Promise<HttpResponse>;

/**
 * Creates the `fetch` of the typed client. Node's own needs twice the processor time of a bare start. Redirects
 * are not followed, so a token stays with its server.
 */
export function createHttpFetch(pins: Pins): HttpFetch {
  return (url, init) => send(url, { ...init, pins });
}

async function send(
  url: string,
  { method, headers, signal, body, pins }: ApiRequestInit & { pins: Pins },
): Promise<HttpResponse> {
  // Without a length, Node sends the body of a DELETE behind a request that has none.
  const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
  const outgoing = startRequest(url, { method, headers: { ...headers, ...length }, signal, pins });
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
