import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import type { Random } from '../random.ts';
import { cutSocket } from '../../../packages/server/src/http/cut-socket.ts';
import { createSocketTracker } from './socket-tracker.ts';

/** `reset` cuts by RST, `end` by FIN. `hole` drops all further bytes without notice to either side. */
export type Cut = 'reset' | 'end' | 'hole';

export interface CuttingProxy {
  readonly port: number;
  /** Connections that were cut so far. */
  readonly cuts: Readonly<Record<Cut, number>>;
  /** Stops cutting open and new connections. Connections in a hole stay there. */
  stopCutting(): void;
  close(): Promise<void>;
}

export interface CuttingProxyOptions {
  targetPort: number;
  random: Random;
  /** Maximum bytes towards the client before the cut: in a handshake, between frames or within one. The minimum is 1. */
  maxBytes: number;
}

/** Delay after which the server side of a `hole` connection is closed, as when a network recovers. */
const holeMs = 4000;
const possibleCuts: readonly Cut[] = ['reset', 'reset', 'end', 'end', 'hole'];

/** A TCP proxy on loopback that cuts every connection, at a random byte and in a random way. */
export async function createCuttingProxy(options: CuttingProxyOptions): Promise<CuttingProxy> {
  const { targetPort, random, maxBytes } = options;
  const sockets = createSocketTracker();
  const cuts: Record<Cut, number> = { reset: 0, end: 0, hole: 0 };
  let isStopped = false;
  const track = (socket: Socket): Socket => {
    sockets.add(socket);
    socket.on('error', () => undefined); // The `close` handler ends the other side.
    return socket;
  };
  const server = createServer((client) => {
    track(client);
    const upstream = track(connect({ port: targetPort, host: '127.0.0.1' }));
    const cut = random.pick(possibleCuts);
    let left = random.integer(1, maxBytes);
    let isCut = false;
    client.on('data', (chunk) => void (isCut || upstream.write(chunk)));
    upstream.on('data', (chunk) => {
      if (isCut) return;
      if (isStopped || chunk.length < left) {
        left -= chunk.length;
        client.write(chunk);
        return;
      }
      isCut = true;
      cuts[cut] += 1;
      client.write(chunk.subarray(0, left), () => applyCut(cut, client, upstream));
    });
    client.on('close', () => (cut === 'hole' && isCut ? undefined : cutSocket(upstream)));
    upstream.on('close', () => (cut === 'hole' && isCut ? undefined : cutSocket(client)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    cuts,
    stopCutting: () => void (isStopped = true),
    close: () => sockets.close(server),
  };
}

function applyCut(cut: Cut, client: Socket, upstream: Socket): void {
  if (cut === 'reset') cutSocket(client);
  else if (cut === 'end') client.end();
  else setTimeout(() => upstream.destroy(), holeMs).unref();
  if (cut !== 'hole') cutSocket(upstream);
}
