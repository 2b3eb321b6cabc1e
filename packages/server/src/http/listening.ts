import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ServerConfig } from '../config/config.ts';
import { ConfigError } from '../config/errors.ts';
import { createHttpServer } from './http-server.ts';

/**
 * A server that is bound to its port and holds every request and upgrade until {@link ListeningServer.open}.
 * Clients see a slow answer instead of a refusal while wcc starts.
 */
export interface ListeningServer {
  readonly server: Server;
  readonly port: number;
  /** Hands over the held requests and upgrades, and from now on every new one at once. Call it once. */
  open(listener: RequestListener): void;
  /** Accepts no new connection; idle ones close. */
  stopAccepting(): void;
  /** Cuts all connections and resolves when the port is free. Idempotent. */
  close(): Promise<void>;
}

interface HeldUpgrade {
  request: IncomingMessage;
  socket: Duplex;
  head: Buffer;
}

/** @throws ConfigError `port_in_use`, `address_unavailable`, `tls_unreadable` */
export async function listen(config: ServerConfig): Promise<ListeningServer> {
  const requests: [IncomingMessage, ServerResponse][] = [];
  const upgrades: HeldUpgrade[] = [];
  let receive: RequestListener = (request, response) => void requests.push([request, response]);
  const hold = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    // Without a listener, a reset of this socket would end the process.
    socket.on('error', () => socket.destroy());
    upgrades.push({ request, socket, head });
  };
  const server = createHttpServer((request, response) => receive(request, response), config);
  server.on('upgrade', hold);
  await bind(server, config);
  let closed: Promise<void> | undefined;
  const stopAccepting = (): Promise<void> => {
    closed ??= new Promise((resolve) => void server.close(() => resolve()));
    server.closeIdleConnections();
    return closed;
  };
  return {
    server,
    port: (server.address() as AddressInfo).port,
    open(listener) {
      receive = listener;
      server.off('upgrade', hold);
      for (const [request, response] of requests.splice(0)) {
        if (!request.destroyed) listener(request, response);
      }
      for (const { request, socket, head } of upgrades.splice(0)) {
        if (!socket.destroyed) server.emit('upgrade', request, socket, head);
      }
    },
    stopAccepting: () => void stopAccepting(),
    async close() {
      const end = stopAccepting();
      for (const { socket } of upgrades.splice(0)) socket.destroy();
      server.closeAllConnections();
      await end;
    },
  };
}

async function bind(server: Server, { host, port }: ServerConfig): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      // One address, one server: the name "localhost" can stand for two addresses.
      server.listen({ host: host === 'localhost' ? '127.0.0.1' : host, port }, () => {
        server.off('error', reject);
        resolve();
      });
    });
  } catch (cause) {
    const { code } = cause as { code?: unknown };
    if (code === 'EADDRINUSE')
      throw new ConfigError('port_in_use', `Another program uses port ${port} on ${host}.`, cause);
    const unavailable = ['EADDRNOTAVAIL', 'EACCES', 'ENOTFOUND', 'EAI_AGAIN', 'EINVAL', 'EAFNOSUPPORT'];
    if (!unavailable.includes(String(code))) throw cause;
    throw new ConfigError('address_unavailable', `wcc cannot listen on port ${port} of ${host}.`, cause);
  }
}
