import { once } from 'node:events';
import type { Server, Socket } from 'node:net';

/** The sockets of a proxy, to clients and to servers. */
export interface SocketTracker {
  /** Destroys the socket at `close`, or at once if that was earlier. */
  add(socket: Socket): void;
  /** Closes the server of the proxy and destroys all sockets. Resolves when the server has closed. */
  close(server: Server): Promise<void>;
}

export function createSocketTracker(): SocketTracker {
  const sockets = new Set<Socket>();
  let isClosed = false;
  return {
    add(socket) {
      if (isClosed) {
        socket.destroy();
        return;
      }
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    },
    async close(server) {
      isClosed = true;
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
