import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';

/**
 * Cuts a connection at once. Bytes that are not sent yet are discarded, also those in the kernel where it allows it.
 * A reset after the socket has ended fails in libuv and would leave the descriptor open for ever.
 */
export function cutSocket(socket: Duplex): void {
  if (
    socket instanceof Socket &&
    !(socket instanceof TLSSocket) &&
    !socket.destroyed &&
    !socket.writableEnded
  )
    socket.resetAndDestroy();
  socket.destroy();
}
