import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { networkOf } from '../config/address-range.ts';

export interface ConnectionBudget {
  /** Connections in all. */
  total: number;
  /** Connections of one client network, among them all of an untrusted proxy. */
  perNetwork: number;
}

export interface ConnectionLimitOptions extends ConnectionBudget {
  /** Proxies with many clients: they have no share of their own. */
  isTrustedProxy: (address: string) => boolean;
}

export interface ConnectionLimits {
  /** Its client has authenticated: the connection is never closed to make room. */
  keep(connection: Pick<Socket, 'remoteAddress' | 'remotePort'>): void;
}

/** Descriptors that stay free for the database, images, worker threads and machines. */
const reservedDescriptors = 256;

/** The budget under a limit of open descriptors: never more than half of a low limit. */
export function connectionBudget(descriptors: number): ConnectionBudget {
  const total = Math.max(
    Math.floor(descriptors / 2),
    descriptors - Math.max(reservedDescriptors, descriptors / 4),
  );
  return { total: Math.floor(total), perNetwork: Math.max(1, Math.floor(total / 2)) };
}

/** The limit of open descriptors of this process. */
export function readDescriptorLimit(): number {
  const [, limit] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
  // "unlimited" has no digits.
  return limit === undefined ? 1024 ** 2 : Number(limit);
}

interface Connection {
  socket: Socket;
  network: string;
  isKept: boolean;
}

/**
 * Bounds the connections of a server. At a limit, a new connection replaces the oldest one without a known client,
 * so slow or idle connections of strangers never keep others out. Without such a one, the new connection is closed.
 */
export function limitConnections(server: Server, options: ConnectionLimitOptions): ConnectionLimits {
  // Insertion order is age.
  const open = new Map<string, Connection>();
  const networks = new Map<string, Set<Connection>>();
  server.on('connection', (socket: Socket) => {
    const { remoteAddress = '' } = socket;
    const connection = { socket, network: networkOf(remoteAddress), isKept: false };
    const own = networks.get(connection.network) ?? new Set();
    const hasShare = !options.isTrustedProxy(remoteAddress);
    const isRefused =
      (hasShare && own.size >= options.perNetwork && !closeOldest(own)) ||
      (open.size >= options.total && !closeOldest(open.values()));
    if (isRefused) {
      socket.destroy();
      return;
    }
    const key = keyOf(socket);
    open.set(key, connection);
    networks.set(connection.network, own.add(connection));
    socket.once('close', () => {
      if (open.get(key) === connection) open.delete(key);
      own.delete(connection);
      if (own.size === 0 && networks.get(connection.network) === own) networks.delete(connection.network);
    });
  });
  return {
    keep(connection) {
      const known = open.get(keyOf(connection));
      if (known !== undefined) known.isKept = true;
    },
  };
}

/** A TLS socket has the same key as the connection that carries it. */
function keyOf({ remoteAddress, remotePort }: Pick<Socket, 'remoteAddress' | 'remotePort'>): string {
  return `${remoteAddress} ${remotePort}`;
}

/** @returns false if all clients are known */
function closeOldest(connections: Iterable<Connection>): boolean {
  for (const { socket, isKept } of connections) {
    if (isKept || socket.destroyed) continue;
    socket.destroy();
    return true;
  }
  return false;
}
