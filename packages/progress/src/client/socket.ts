/** A close event carries `code`, a message `data`. */
export interface SocketEvent {
  readonly type: string;
  readonly data?: unknown;
  readonly code?: number;
}

/** What the client needs of a WebSocket: the browser's own, or `WebSocket` of the package `ws`. */
export interface SocketLike {
  addEventListener(type: 'message' | 'close' | 'error', listener: (event: SocketEvent) => void): void;
  send(text: string): void;
  close(): void;
}

export type SocketConstructor = new (url: string, protocols: string[]) => SocketLike;

export interface SocketHandlers {
  /** `null` for a binary message: nothing of ours is binary. */
  message: (text: string | null) => void;
  close: (code: number) => void;
}

/** A socket that says nothing any more once it was let go. */
export interface Wire {
  send(text: string): void;
  letGo(): void;
}

export function openWire(socket: SocketLike, handlers: SocketHandlers): Wire {
  let isOurs = true;
  socket.addEventListener('message', (event) => {
    if (isOurs) handlers.message(typeof event.data === 'string' ? event.data : null);
  });
  socket.addEventListener('close', (event) => {
    if (isOurs) handlers.close(event.code ?? 1006);
  });
  // A close event follows every error; without a listener the package `ws` would throw.
  socket.addEventListener('error', () => undefined);
  return {
    send: (text) => socket.send(text),
    letGo: () => {
      isOurs = false;
      // On a half-open connection the close handshake never ends: nobody waits for it.
      socket.close();
    },
  };
}
