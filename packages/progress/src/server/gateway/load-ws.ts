import { createRequire } from 'node:module';
import { join } from 'node:path';
import { ProgressError } from '@wcc/progress';
import { subprotocol } from '@wcc/progress/protocol';
import type { Limits } from '@wcc/progress/protocol';
import type { WebSocketServer } from 'ws';

type WebSocketServerClass = typeof WebSocketServer;

/**
 * Creates the server of `ws`.
 *
 * @param given the class, for a bundle without `node_modules`
 * @throws {ProgressError} `ws_missing`, `ws_unusable`
 */
export function createWebSocketServer(
  limits: Limits,
  given: (new (options: never) => object) | undefined,
): WebSocketServer {
  const Server = (given as WebSocketServerClass | undefined) ?? loadWs();
  try {
    return new Server({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: limits.messageBytes,
      // By default `ws` echoes the first offered subprotocol, which may be the ticket.
      handleProtocols: () => subprotocol,
    });
  } catch (cause) {
    throw new ProgressError('ws_unusable', { detail: textOf(cause), cause });
  }
}

/** Loads `ws` on first use, because it is an optional peer that the hub does not need. */
function loadWs(): WebSocketServerClass {
  const require = createRequire(baseAddress());
  try {
    require.resolve('ws');
  } catch (cause) {
    throw new ProgressError('ws_missing', { cause });
  }
  let loaded: { WebSocketServer?: unknown };
  try {
    loaded = require('ws') as typeof loaded;
  } catch (cause) {
    throw new ProgressError('ws_unusable', { detail: textOf(cause), cause });
  }
  if (typeof loaded.WebSocketServer === 'function') return loaded.WebSocketServer as WebSocketServerClass;
  throw new ProgressError('ws_unusable', { detail: 'it has no WebSocketServer; version 7 or older' });
}

/** Where `ws` is searched from. A bundle in the format CommonJS has no `import.meta.url`. */
function baseAddress(): string {
  const address: unknown = import.meta.url;
  if (typeof address === 'string') return address;
  return typeof __filename === 'string' ? __filename : join(process.cwd(), 'index.js');
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
