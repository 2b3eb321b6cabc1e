import { createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createHub } from '../hub.ts';
import type { Hub } from '../hub.ts';
import { createTickets } from '../tickets.ts';
import type { TicketClaims, Tickets } from '../tickets.ts';
import { attachWebSocket } from '../websocket.ts';
import { exactHosts, exactOrigins } from '../websocket/allow-lists.ts';
import type { WatchPrincipal, WebSocketGateway, WebSocketOptions } from '../websocket/options.ts';

export const testOrigin = 'http://console.test';

export interface Principal extends WatchPrincipal {
  admin: boolean;
}

/** A real HTTP server with a gateway. Users see their own operations, admins see all. */
export interface GatewayUnderTest {
  hub: Hub;
  server: Server;
  gateway: WebSocketGateway<Principal>;
  tickets: Tickets;
  port: number;
  url: string;
  errors: { error: unknown; stage: string }[];
  /** Ids of operations that any user may watch. */
  granted: Set<string>;
  ticket(claims?: Partial<TicketClaims>): string;
  close(): Promise<void>;
}

export type GatewayChanges = Partial<WebSocketOptions<Principal>> & { tickMs?: number };

export async function startGateway(changes: GatewayChanges = {}): Promise<GatewayUnderTest> {
  const { tickMs = 20, ...options } = changes;
  const errors: GatewayUnderTest['errors'] = [];
  const onError = (error: unknown, { stage }: { stage: string }): void => void errors.push({ error, stage });
  const hub = options.hub ?? createHub({ tickMs, onError });
  const tickets = createTickets({ perSession: 1_000_000 });
  const granted = new Set<string>();
  const server = createServer((_request, response) => response.end('plain'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const gateway = attachWebSocket<Principal>({
    hub,
    server,
    hosts: exactHosts([`127.0.0.1:${port}`]),
    origins: exactOrigins([testOrigin]),
    authenticate: (_request: IncomingMessage, ticket) => {
      const claims = ticket === null ? null : tickets.take(ticket);
      return Promise.resolve(claims === null ? null : principalOf(claims));
    },
    user: ({ user, session, expiresAtMs }) => ({ user, session, expiresAtMs }),
    authorize: ({ user, admin }, _action, { id, owner }) => admin || owner === user || granted.has(id),
    onError,
    ...options,
  });
  return {
    hub,
    server,
    gateway,
    tickets,
    port,
    errors,
    granted,
    url: `ws://127.0.0.1:${port}/api/ws`,
    ticket: (claims = {}) => tickets.issue({ ...testClaims, ...claims }).ticket,
    close: async () => {
      await gateway.shutdown();
      hub.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const testClaims: TicketClaims = {
  session: 's1',
  user: 'u1',
  purpose: 'watch',
  origin: testOrigin,
  sessionVersion: 1,
};

export function principalOf({ user, session, sessionVersion }: TicketClaims): Principal {
  return { user, session, sessionVersion, expiresAtMs: null, admin: user === 'admin' };
}
