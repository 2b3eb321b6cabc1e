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

export interface SocketHandlers {
  /** `text` is `null` for a binary message; the protocol has none. */
  message: (text: string | null) => void;
  close: (code: number) => void;
}

/** A socket without events after its release. */
export interface Wire {
  send(text: string): void;
  release(): void;
}

/** Attaches the handlers to a socket. */
export function openWire(socket: SocketLike, handlers: SocketHandlers): Wire {
  let isActive = true;
  socket.addEventListener('message', (event) => {
    if (isActive) handlers.message(typeof event.data === 'string' ? event.data : null);
  });
  socket.addEventListener('close', (event) => {
    if (isActive) handlers.close(event.code ?? 1006);
  });
  // A close event follows every error. Without a listener the package `ws` would throw.
  socket.addEventListener('error', () => undefined);
  return {
    send: (text) => socket.send(text),
    release: () => {
      isActive = false;
      // Does not wait for the close handshake, which never ends on a half-open connection.
      socket.close();
    },
  };
}
