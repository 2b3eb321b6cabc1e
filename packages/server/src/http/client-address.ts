import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
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
      const previous = addressOfHop(hops.pop() ?? '');
      // The address of the proxy counts where the proxy names none: any other text could be made up.
      if (previous === null) break;
      address = previous;
    }
    return address;
  };
}

/** `192.0.2.1`, `192.0.2.1:4000`, `2001:db8::1`, `[2001:db8::1]:4000`; null: this is not an address. */
function addressOfHop(hop: string): string | null {
  const [, inBrackets, beforePort] = /^(?:\[([^\]]+)\]|([^:]+))(?::\d{1,5})?$/.exec(hop) ?? [];
  const address = inBrackets ?? beforePort ?? hop;
  return isIP(address) === 0 ? null : plainAddress(address);
}

/** Sets `request.clientAddress` before all other hooks. */
export function registerClientAddress(app: FastifyInstance, clientAddress: ClientAddress): void {
  app.decorateRequest('clientAddress', '');
  app.addHook('onRequest', async (request) => {
    request.clientAddress = clientAddress(request.raw);
  });
}
