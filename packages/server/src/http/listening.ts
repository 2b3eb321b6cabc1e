import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:net';
import type { AddressInfo, Server as NetServer } from 'node:net';
import type { Duplex } from 'node:stream';
import { Server as TlsServer } from 'node:tls';
import { createRangeTest } from '../config/address-range.ts';
import type { ServerConfig } from '../config/config.ts';
import { ConfigError } from '../config/errors.ts';
import { connectionBudget, limitConnections, readDescriptorLimit } from './connection-limits.ts';
import type { ConnectionLimits } from './connection-limits.ts';
import { createHttpServer } from './http-server.ts';

/**
 * A server that is bound to its port and holds every request and upgrade until {@link ListeningServer.open}.
 * Clients see a slow answer instead of a refusal while wcc starts.
 */
export interface ListeningServer {
  readonly server: Server;
  readonly port: number;
  readonly connections: ConnectionLimits;
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

export type ListenConfig = Pick<ServerConfig, 'host' | 'port' | 'tls' | 'trustedProxies'>;

/** @throws ConfigError `port_in_use`, `address_unavailable`, `tls_unreadable` */
export async function listen(config: ListenConfig): Promise<ListeningServer> {
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
  const connections = limitConnections(server, {
    ...connectionBudget(readDescriptorLimit()),
    isTrustedProxy: createRangeTest(config.trustedProxies),
  });
  // Upgrades have limits of their own, and an open page must not lose its socket to strangers.
  server.on('upgrade', ({ socket }: IncomingMessage) => connections.keep(socket));
  const loopbacks = await bind(server, config);
  let closed: Promise<void> | undefined;
  const stopAccepting = (): Promise<void> => {
    closed ??= closeAll([server, ...loopbacks]);
    server.closeIdleConnections();
    return closed;
  };
  return {
    server,
    port: (server.address() as AddressInfo).port,
    connections,
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

async function closeAll(servers: readonly NetServer[]): Promise<void> {
  await Promise.all(servers.map((server) => new Promise((resolve) => void server.close(resolve))));
}

/** How often wcc tries a free port that another program has on another loopback address. */
const maxFreePorts = 20;

/** @returns the servers of further loopback addresses */
async function bind(server: Server, { host, port }: ListenConfig): Promise<NetServer[]> {
  // One address, one server: the name "localhost" can stand for two addresses.
  const first = host === 'localhost' ? '127.0.0.1' : host;
  for (let attempt = 1; ; attempt += 1) {
    await bindTo(server, { host: first, port });
    const address = server.address() as AddressInfo;
    try {
      return await bindLoopbacks(server, address);
    } catch (error) {
      await closeAll([server]);
      if (port !== 0 || attempt === maxFreePorts) throw error;
    }
  }
}

/**
 * A browser tries both loopback addresses for `localhost`. Another program on one of them would be the same origin
 * and would receive the secrets of the session. So wcc listens on both, or not at all.
 */
async function bindLoopbacks(server: Server, { address, port }: AddressInfo): Promise<NetServer[]> {
  const servers: NetServer[] = [];
  for (const host of otherLoopbacks[address] ?? []) {
    // As Node's HTTP and HTTPS servers have them.
    const options = { allowHalfOpen: !(server instanceof TlsServer), noDelay: true };
    const loopback = createServer(options, (socket) => server.emit('connection', socket));
    try {
      await bindTo(loopback, { host, port });
      servers.push(loopback);
    } catch (error) {
      // A host without this kind of addresses has no program on it either.
      if (error instanceof ConfigError && error.code === 'address_unavailable') continue;
      await closeAll(servers);
      throw error;
    }
  }
  return servers;
}

/** The loopback addresses that listening on an address leaves to other programs. `::` includes IPv4. */
const otherLoopbacks: Readonly<Record<string, readonly string[]>> = {
  '127.0.0.1': ['::1'],
  '0.0.0.0': ['::1'],
  '::1': ['127.0.0.1'],
};

async function bindTo(server: NetServer, { host, port }: { host: string; port: number }): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port }, () => {
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
