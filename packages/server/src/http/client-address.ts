import type { IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { createRangeTest, plainAddress } from '../config/address-range.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** By our own rule, the same for requests and for upgrades, which never come past fastify. */
    clientAddress: string;
  }
}

/** The address that a request comes from: the peer, or what trusted proxies say before it. */
export type ClientAddress = (request: IncomingMessage) => string;

/** `X-Forwarded-For` is read from its right end, and only as long as the one who wrote it is trusted. */
export function createClientAddress(trustedProxies: readonly string[]): ClientAddress {
  const isTrusted = createRangeTest(trustedProxies);
  return (request) => {
    let address = plainAddress(request.socket.remoteAddress ?? 'unknown');
    const header = request.headers['x-forwarded-for'];
    const hops = (Array.isArray(header) ? header.join(',') : (header ?? ''))
      .split(',')
      .map((hop) => hop.trim());
    while (isTrusted(address)) {
      const previous = hops.pop();
      if (previous === undefined || previous === '') break;
      address = plainAddress(previous);
    }
    return address;
  };
}

/** Sets `request.clientAddress` before anything else runs. */
export function registerClientAddress(app: FastifyInstance, clientAddress: ClientAddress): void {
  app.decorateRequest('clientAddress', '');
  app.addHook('onRequest', async (request) => {
    request.clientAddress = clientAddress(request.raw);
  });
}
