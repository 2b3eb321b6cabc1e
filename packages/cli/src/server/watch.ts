import { routes } from '@wcc/api';
import type { ProgressClient } from '@wcc/progress/client';
import { connect } from '@wcc/progress/client';
import { WebSocket } from 'ws';
import type { Server } from './server.ts';

/** Maximum time for the close handshake of a socket. */
const closeGraceMs = 500;

/**
 * Connects to the server's socket with the bearer token, so no ticket is needed. Reconnects after every loss.
 */
export function watchServer({ origin, token }: Server): ProgressClient {
  class BearerSocket extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols, { headers: { authorization: `Bearer ${token}` }, perMessageDeflate: false });
    }

    override close(): void {
      super.close();
      // The server may be gone, and `ws` would wait 30 s for its close frame.
      setTimeout(() => this.terminate(), closeGraceMs).unref();
    }
  }
  return connect(origin.replace(/^http/, 'ws') + routes.socket(), { WebSocket: BearerSocket });
}
