import type { IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { createRangeTest, plainAddress } from '../config/address-range.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** By one rule for requests and upgrades; fastify does not see upgrades. */
    clientAddress: string;
  }
}

/** The client address of a request: the peer, or the hop before trusted proxies. */
export type ClientAddress = (request: IncomingMessage) => string;

/** Reads `X-Forwarded-For` from the right while the author of each entry is trusted. */
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

/** Sets `request.clientAddress` before all other hooks. */
export function registerClientAddress(app: FastifyInstance, clientAddress: ClientAddress): void {
  app.decorateRequest('clientAddress', '');
  app.addHook('onRequest', async (request) => {
    request.clientAddress = clientAddress(request.raw);
  });
}
