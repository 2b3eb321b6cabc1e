import { routes } from '@wcc/api';
import type { ProgressClient } from '@wcc/progress/client';
import { connect } from '@wcc/progress/client';
import { WebSocket } from 'ws';
import { createPinnedAgent } from '@wcc/api/pins';
import type { CliError } from '../runtime/errors.ts';
import { toDistrust } from '../runtime/errors.ts';
import { streamFetch } from './stream-fetch.ts';
import type { Server } from './server.ts';

/** Maximum time for the close handshake of a socket. */
const closeGraceMs = 500;

/**
 * Connects to the server with the bearer token, so no ticket is needed: by socket, or by event stream where a proxy
 * blocks sockets. Reconnects after every loss.
 *
 * @param onDistrust called when the server has another key or certificate than before; reconnecting does not help
 */
export function watchServer(
  { origin, token, pins }: Server,
  onDistrust: (error: CliError) => void,
): ProgressClient {
  const authorization = `Bearer ${token}`;
  const isPinned = pins.length > 0 && origin.startsWith('https:');
  const agent = isPinned ? { agent: createPinnedAgent(pins) } : {};
  const check = (error: unknown): void => {
    const distrust = toDistrust(error);
    if (distrust !== null) onDistrust(distrust);
  };
  class BearerSocket extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols, { headers: { authorization }, perMessageDeflate: false, ...agent });
      this.on('error', check);
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
      // Node's own fetch cannot compare keys.
      return isPinned
        ? streamFetch(input, { ...init, headers, pins }).catch((error: unknown) => {
            check(error);
            throw error;
          })
        : fetch(input, { ...init, headers });
    },
  });
}
