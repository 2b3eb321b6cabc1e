import type { RequestListener, Server } from 'node:http';
import { createServer } from 'node:http';
import type { ServerOptions } from 'node:https';
import { createServer as createSecureServer } from 'node:https';
import type { ServerConfig } from '../config/config.ts';
import { ConfigError } from '../config/errors.ts';
import { takeRequestsInTurn } from './guards/request-turns.ts';

/** All in milliseconds. */
export interface ServerTimeouts {
  headersTimeout: number;
  /** How often Node checks `headersTimeout`. */
  connectionsCheckingInterval: number;
  /** An idle connection is closed after this time. */
  inactivity: number;
  keepAlive: number;
}

const defaults: ServerTimeouts = {
  headersTimeout: 10_000,
  connectionsCheckingInterval: 5000,
  inactivity: 60_000,
  keepAlive: 30_000,
};

/** `timeouts` is for tests. */
export interface HttpServerOptions {
  tls: ServerConfig['tls'];
  timeouts?: Partial<ServerTimeouts>;
}

/**
 * Creates the HTTP or HTTPS server with its timeouts. The requests of one connection run one after the other.
 * @throws ConfigError `tls_unreadable`
 */
export function createHttpServer(listener: RequestListener, { tls, timeouts }: HttpServerOptions): Server {
  const { headersTimeout, connectionsCheckingInterval, inactivity, keepAlive } = { ...defaults, ...timeouts };
  // Both are set, because a `requestTimeout` of 0 alone also disables `headersTimeout`.
  const options = { requestTimeout: 0, headersTimeout, connectionsCheckingInterval };
  const server = tls === null ? createServer(options) : createTlsServer({ ...options, ...tls });
  takeRequestsInTurn(server, listener);
  server.keepAliveTimeout = keepAlive;
  server.setTimeout(inactivity);
  return server;
}

function createTlsServer(options: ServerOptions): Server {
  try {
    return createSecureServer({ ...options, minVersion: 'TLSv1.2' });
  } catch (cause) {
    throw tlsUnreadable(cause);
  }
}

export function tlsUnreadable(cause: unknown): ConfigError {
  return new ConfigError('tls_unreadable', 'The TLS certificate and key do not match.', cause);
}
