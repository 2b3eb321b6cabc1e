import type { Socket } from 'node:net';
import type { CloseCode } from '@wcc/progress/protocol';
import type { WebSocket } from 'ws';
import type { Wire } from './connection.ts';
import { textFrame } from './messages.ts';

/** A client that does not answer the close frame is terminated after this time. */
const closeGraceMs = 1000;

/**
 * Carries a connection over a WebSocket.
 *
 * @param wire the TCP or TLS socket below it
 */
export function createSocketWire(socket: WebSocket, wire: Socket): Wire {
  return {
    send: (data) => {
      if (typeof data === 'string') socket.send(data);
      // Without compression and fragments `ws` writes each frame in one piece, so our frames fit between its own.
      // Nothing may follow a close frame.
      else if (socket.readyState === socket.OPEN) wire.write(textFrame(data));
    },
    ping: (payload) => socket.ping(payload),
    sendTogether: (sends) => {
      wire.cork();
      sends();
      wire.uncork();
    },
    bufferedBytes: () => socket.bufferedAmount,
    close: (code: CloseCode) => {
      socket.close(code);
      const timer = setTimeout(() => socket.terminate(), closeGraceMs);
      socket.once('close', () => clearTimeout(timer));
    },
    terminate: () => socket.terminate(),
  };
}
