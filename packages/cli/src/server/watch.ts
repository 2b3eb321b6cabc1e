import { routes } from '@wcc/api';
import type { ProgressClient } from '@wcc/progress/client';
import { connect } from '@wcc/progress/client';
import { WebSocket } from 'ws';
import type { Server } from './server.ts';

/** How long a socket may take to say goodbye before it is cut. */
const goodbyeMs = 500;

/**
 * Watches by `wcc.v1` with the bearer token in the handshake: a program needs no ticket. Comes back by itself
 * after every loss.
 */
export function watchServer({ origin, token }: Server): ProgressClient {
  class BearerSocket extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols, { headers: { authorization: `Bearer ${token}` }, perMessageDeflate: false });
    }

    override close(): void {
      super.close();
      // The other side may be gone: nobody waits half a minute for its half of the farewell.
      setTimeout(() => this.terminate(), goodbyeMs).unref();
    }
  }
  return connect(origin.replace(/^http/, 'ws') + routes.socket(), { WebSocket: BearerSocket });
}
