import type { ClientMessage } from '../core/protocol.ts';

/** How a client reaches the server. */
export type TransportName = 'websocket' | 'sse';

export interface WireHandlers {
  /** `text` is `null` for a binary message; the protocol has none. */
  message: (text: string | null) => void;
  /**
   * Called once, when the other side or the network ended the wire.
   *
   * @param code the WebSocket close code; for a refused stream {@link statusBase} plus its HTTP status
   */
  close: (code: number) => void;
}

/** One connection that carries messages of the protocol. It has no events after its release. */
export interface Wire {
  send(message: ClientMessage): void;
  release(): void;
}

/** Close code of a connection that ended without one. */
export const lostCode = 1006;

/** The close codes 4400, 4401 and 4503 of sockets have the meaning of the statuses 400, 401 and 503. */
export const statusBase = 4000;
