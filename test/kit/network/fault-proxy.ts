import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { cutSocket } from '../../../packages/server/src/http/cut-socket.ts';
import { createSocketTracker } from './socket-tracker.ts';

/**
 * `pass` forwards bytes. `silent` keeps the connection open but forwards nothing, not even a FIN, like a network
 * that drops packets. `refuse` resets new connections.
 */
export type FaultMode = 'pass' | 'silent' | 'refuse';

export interface FaultProxy {
  readonly port: number;
  /** Sets the mode of new connections. @default 'pass' */
  setModeForNew(mode: FaultMode): void;
  /** Sets the mode of open connections. */
  setModeForOpen(mode: 'pass' | 'silent'): void;
  /** Sets the mode of open and new connections. */
  setMode(mode: 'pass' | 'silent'): void;
  /** Resets every open connection. */
  resetAll(): void;
  /** Delay of each chunk, in milliseconds. @default 0 */
  setDelay(delayMs: number): void;
  /** Bytes per second towards the client of each connection; null = no limit. @default null */
  setBandwidth(bytesPerSecond: number | null): void;
  /** As `setBandwidth`, towards the server. @default null */
  setUploadBandwidth(bytesPerSecond: number | null): void;
  /** Number of bytes received from all clients so far. */
  readonly fromClients: number;
  /** Number of connections: now open, and in total since the start. */
  readonly connections: { open: number; total: number };
  close(): Promise<void>;
}

interface Pair {
  client: Socket;
  upstream: Socket;
  silent: boolean;
}

interface Shaping {
  delayMs: number;
  bytesPerSecond: number | null;
  uploadBytesPerSecond: number | null;
  fromClients: number;
}

/** Starts a TCP proxy on loopback that simulates faults of a network. */
export async function createFaultProxy(targetPort: number): Promise<FaultProxy> {
  const pairs = new Set<Pair>();
  const sockets = createSocketTracker();
  const shaping: Shaping = { delayMs: 0, bytesPerSecond: null, uploadBytesPerSecond: null, fromClients: 0 };
  let modeForNew: FaultMode = 'pass';
  let total = 0;
  const server = createServer({ allowHalfOpen: true }, (client) => {
    total++;
    if (modeForNew === 'refuse') {
      cutSocket(client);
      return;
    }
    const upstream = connect({ port: targetPort, host: '127.0.0.1', allowHalfOpen: true });
    const pair: Pair = { client, upstream, silent: modeForNew === 'silent' };
    pairs.add(pair);
    sockets.add(client);
    sockets.add(upstream);
    joinPair(pair, shaping, () => pairs.delete(pair));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const setModeForOpen = (mode: 'pass' | 'silent'): void => {
    for (const pair of pairs) setSilent(pair, mode === 'silent');
  };
  const close = (): Promise<void> => sockets.close(server);
  return {
    port: (server.address() as AddressInfo).port,
    setModeForNew: (mode) => void (modeForNew = mode),
    setModeForOpen,
    setMode: (mode) => {
      modeForNew = mode;
      setModeForOpen(mode);
    },
    resetAll: () => {
      for (const { client, upstream } of pairs) {
        cutSocket(client);
        cutSocket(upstream);
      }
    },
    setDelay: (delayMs) => void (shaping.delayMs = delayMs),
    setBandwidth: (bytesPerSecond) => void (shaping.bytesPerSecond = bytesPerSecond),
    setUploadBandwidth: (bytesPerSecond) => void (shaping.uploadBytesPerSecond = bytesPerSecond),
    get fromClients() {
      return shaping.fromClients;
    },
    get connections() {
      return { open: pairs.size, total };
    },
    close,
  };
}

function destroyPair(pair: Pair): void {
  pair.client.destroy();
  pair.upstream.destroy();
}

function setSilent(pair: Pair, silent: boolean): void {
  pair.silent = silent;
  // One side closed while the pair was silent, so the other side is closed now.
  if (!silent && (pair.client.destroyed || pair.upstream.destroyed)) destroyPair(pair);
  for (const socket of [pair.client, pair.upstream]) {
    if (silent) socket.pause();
    else socket.resume();
  }
}

function joinPair(pair: Pair, shaping: Shaping, onClose: () => void): void {
  relay(pair, pair.client, {
    to: pair.upstream,
    delay: (bytes) => {
      shaping.fromClients += bytes;
      const { delayMs, uploadBytesPerSecond: rate } = shaping;
      return delayMs + (rate === null ? 0 : (bytes / rate) * 1000);
    },
  });
  relay(pair, pair.upstream, {
    to: pair.client,
    delay: (bytes) =>
      shaping.delayMs + (shaping.bytesPerSecond === null ? 0 : (bytes / shaping.bytesPerSecond) * 1000),
  });
  if (pair.silent) setSilent(pair, true);
  const closed = (): void => {
    if (!pair.client.destroyed || !pair.upstream.destroyed) return;
    onClose();
  };
  pair.client.on('close', closed);
  pair.upstream.on('close', closed);
}

function relay(pair: Pair, from: Socket, options: { to: Socket; delay: (bytes: number) => number }): void {
  const { to } = options;
  /** A chunk is on its way, and the end of its connection must not overtake it. */
  let isDelayed = false;
  let atArrival = (): void => {};
  const afterChunk = (act: () => void): void => {
    if (isDelayed) atArrival = act;
    else act();
  };
  from.on('data', (chunk) => {
    const delayMs = options.delay(chunk.length);
    if (delayMs === 0) {
      if (!to.destroyed && !to.write(chunk)) {
        from.pause();
        to.once('drain', () => !pair.silent && from.resume());
      }
      return;
    }
    // Pausing forwards one chunk at a time, which keeps the order and the rate limit.
    from.pause();
    isDelayed = true;
    setTimeout(() => {
      isDelayed = false;
      if (!to.destroyed) to.write(chunk);
      if (!pair.silent) from.resume();
      atArrival();
    }, delayMs);
  });
  from.on('end', () => afterChunk(() => to.end()));
  // Forwards a reset as a reset. Without a handler the error would end the test process.
  from.on('error', () => cutSocket(to));
  from.on('close', () => {
    // `end` sends what is written; a connection without an end is cut.
    if (!pair.silent) afterChunk(() => (from.readableEnded ? to.destroySoon() : to.destroy()));
  });
}
