import { subprotocol, ticketPrefix } from '../core/protocol.ts';
import { lostCode } from './wire.ts';
import type { Wire, WireHandlers } from './wire.ts';

/** An event of a socket: a close event has `code`, a message event `data`. */
export interface SocketEvent {
  readonly type: string;
  readonly data?: unknown;
  readonly code?: number;
}

/** The part of a WebSocket that the client uses. The browser's WebSocket and that of `ws` have it. */
export interface SocketLike {
  addEventListener(type: 'message' | 'close' | 'error', listener: (event: SocketEvent) => void): void;
  send(text: string): void;
  close(): void;
}

/** A WebSocket class. */
export type SocketConstructor = new (url: string, protocols: string[]) => SocketLike;

export interface SocketOptions {
  Socket: SocketConstructor;
  /** Address of the socket. */
  socket: string;
}

/** Opens a socket. @param ticket `null` if none is needed */
export function openSocketWire(options: SocketOptions, ticket: string | null, handlers: WireHandlers): Wire {
  const protocols = ticket ? [subprotocol, ticketPrefix + ticket] : [subprotocol];
  const socket = new options.Socket(options.socket, protocols);
  let active: WireHandlers | undefined = handlers;
  socket.addEventListener('message', (event) => {
    active?.message(typeof event.data === 'string' ? event.data : null);
  });
  socket.addEventListener('close', (event) => {
    active?.close(event.code ?? lostCode);
  });
  // A close event follows every error. Without a listener the package `ws` would throw.
  socket.addEventListener('error', () => undefined);
  return {
    send: (message) => socket.send(JSON.stringify(message)),
    release: () => {
      active = undefined;
      // Does not wait for the close handshake, which never ends on a half-open connection.
      socket.close();
    },
  };
}
