import { routes } from '@wcc/api';
import type { ProgressClient } from '@wcc/progress/client';
import { connect } from '@wcc/progress/client';
import { WebSocket } from 'ws';
import type { Server } from './server.ts';

/** Maximum time for the close handshake of a socket. */
const closeGraceMs = 500;

/**
 * Connects to the server with the bearer token, so no ticket is needed: by socket, or by event stream where a proxy
 * blocks sockets. Reconnects after every loss.
 */
export function watchServer({ origin, token }: Server): ProgressClient {
  const authorization = `Bearer ${token}`;
  class BearerSocket extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols, { headers: { authorization }, perMessageDeflate: false });
    }

    override close(): void {
      super.close();
      // The server may be gone, and `ws` would wait 30 s for its close frame.
      setTimeout(() => this.terminate(), closeGraceMs).unref();
    }
  }
  return connect(origin + routes.socket(), {
    WebSocket: BearerSocket,
    ticket: null,
    events: origin + routes.events(),
    fetch: (input, init) => {
      const headers = new Headers(init?.headers);
      headers.set('authorization', authorization);
      return fetch(input, { ...init, headers });
    },
  });
}
