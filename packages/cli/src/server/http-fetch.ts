import type { ClientRequest, RequestOptions } from 'node:http';
import { request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import type { ApiRequestInit, ApiResponse } from '@wcc/api/client';
import { createPinnedAgent, exchange, lengthOf } from '@wcc/api/pins';
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
  return async (url, { method, headers, signal, body }) =>
    exchange(startRequest(url, { method, headers: { ...headers, ...lengthOf(body) }, signal, pins }), body);
}
