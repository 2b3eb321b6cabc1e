import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

/** Passes each connection to the next port in turn, as a simple load balancer does; skips ports that refuse it. */
export interface Balancer {
  readonly port: number;
  close(): Promise<void>;
}

export async function startBalancer(ports: readonly number[]): Promise<Balancer> {
  const sockets = new Set<Socket>();
  let turn = 0;
  const server = createServer((client) => {
    keep(client);
    pass(client, ports.length);
  });

  function keep(socket: Socket): void {
    sockets.add(socket);
    socket.on('error', () => socket.destroy()).once('close', () => sockets.delete(socket));
  }

  function pass(client: Socket, tries: number): void {
    const port = ports[turn % ports.length];
    turn += 1;
    if (tries === 0 || port === undefined) return void client.destroy();
    const backend = connect(port, '127.0.0.1');
    backend.once('error', () => pass(client, tries - 1));
    backend.once('connect', () => {
      backend.removeAllListeners('error');
      keep(backend);
      client.once('close', () => backend.destroy());
      backend.once('close', () => client.destroy());
      client.pipe(backend);
      backend.pipe(client);
    });
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
