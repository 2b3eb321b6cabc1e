import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import type { Random } from './random.ts';

/** `reset` cuts by RST, `end` by FIN. `hole` drops all further bytes, and neither side notices. */
export type Cut = 'reset' | 'end' | 'hole';

export interface CuttingProxy {
  readonly port: number;
  /** Connections that were cut so far. */
  readonly cuts: Readonly<Record<Cut, number>>;
  /** From now on, and for those that stand, nothing is cut. Those in a hole stay there. */
  spare(): void;
  close(): Promise<void>;
}

export interface CuttingProxyOptions {
  targetPort: number;
  random: Random;
  /** Maximum bytes towards the client before the cut: in a handshake, between frames or within one. The minimum is 1. */
  bytesAtMost: number;
}

/** How long after the client's end the server of a `hole` connection learns of it, as when a network comes back. */
const holeMs = 4000;
const fates: readonly Cut[] = ['reset', 'reset', 'end', 'end', 'hole'];

/** A TCP proxy on loopback that cuts every connection, at a random byte and in a random way. */
export async function createCuttingProxy(options: CuttingProxyOptions): Promise<CuttingProxy> {
  const { targetPort, random, bytesAtMost } = options;
  const sockets = new Set<Socket>();
  const cuts: Record<Cut, number> = { reset: 0, end: 0, hole: 0 };
  let sparing = false;
  const keep = (socket: Socket): Socket => {
    sockets.add(socket);
    socket.on('error', () => undefined); // `close` ends the other side
    return socket.on('close', () => sockets.delete(socket));
  };
  const server = createServer((client) => {
    keep(client);
    const upstream = keep(connect({ port: targetPort, host: '127.0.0.1' }));
    const fate = random.pick(fates);
    let left = random.integer(1, bytesAtMost);
    let isCut = false;
    client.on('data', (piece) => void (isCut || upstream.write(piece)));
    upstream.on('data', (piece) => {
      if (isCut) return;
      if (sparing || piece.length < left) {
        left -= piece.length;
        client.write(piece);
        return;
      }
      isCut = true;
      cuts[fate] += 1;
      client.write(piece.subarray(0, left), () => strike(fate, client, upstream));
    });
    client.on('close', () => (fate === 'hole' && isCut ? undefined : upstream.resetAndDestroy()));
    upstream.on('close', () => (fate === 'hole' && isCut ? undefined : client.resetAndDestroy()));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    cuts,
    spare: () => void (sparing = true),
    close: async () => {
      server.close();
      for (const socket of sockets) socket.destroy();
      if (server.listening) await once(server, 'close');
    },
  };
}

function strike(fate: Cut, client: Socket, upstream: Socket): void {
  if (fate === 'reset') client.resetAndDestroy();
  else if (fate === 'end') client.end();
  else setTimeout(() => upstream.destroy(), holeMs).unref();
  if (fate !== 'hole') upstream.resetAndDestroy();
}
