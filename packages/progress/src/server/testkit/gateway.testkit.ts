import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createHub } from '../hub.ts';
import type { Hub } from '../hub.ts';
import { createTickets } from '../tickets.ts';
import type { Tickets } from '../tickets.ts';
import type { TicketClaims, TicketStore } from '../tickets/store.ts';
import { createGateway } from '../gateway.ts';
import { exactHosts, exactOrigins } from '../gateway/allow-lists.ts';
import type { WatchIdentity, Gateway, GatewayOptions } from '../gateway/options.ts';

export const testOrigin = 'http://console.test';

export interface Principal extends WatchIdentity {
  sessionVersion: number;
  admin: boolean;
}

/** A real HTTP server with a gateway. Users see their own operations, admins see all. */
export interface GatewayUnderTest {
  hub: Hub;
  server: Server;
  gateway: Gateway<Principal>;
  tickets: Tickets;
  port: number;
  url: string;
  errors: { error: unknown; stage: string }[];
  /** Ids of operations that any user may watch. */
  granted: Set<string>;
  ticket(claims?: Partial<TicketClaims>): string;
  close(): Promise<void>;
}

export type GatewayChanges = Partial<GatewayOptions<Principal>> & { tickMs?: number };

export async function startGateway(changes: GatewayChanges = {}): Promise<GatewayUnderTest> {
  const { tickMs = 20, ...options } = changes;
  const errors: GatewayUnderTest['errors'] = [];
  const onError = (error: unknown, { stage }: { stage: string }): void => void errors.push({ error, stage });
  const hub = options.hub ?? createHub({ tickMs, onError });
  const store = createMapStore();
  const tickets = createTickets({ store });
  const granted = new Set<string>();
  const server = createServer((_request, response) => response.end('plain'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const gateway = createGateway<Principal>({
    hub,
    server,
    hosts: exactHosts([`127.0.0.1:${port}`]),
    origins: exactOrigins([testOrigin]),
    authenticate: async (_request: IncomingMessage, ticket) => {
      const claims = ticket === null ? null : await tickets.take(ticket);
      return claims === null ? null : principalOf(claims);
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
    ticket: (claims = {}) => store.add({ ...testClaims, ...claims }),
    close: async () => {
      await gateway.shutdown();
      hub.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A store of tickets that also issues them, so that a test gets a ticket without waiting. */
function createMapStore(): TicketStore & { add(claims: TicketClaims): string } {
  const byHash = new Map<string, TicketClaims>();
  return {
    put: async (hash, claims) => void byHash.set(hash, claims),
    take: async (hash) => {
      const claims = byHash.get(hash) ?? null;
      byHash.delete(hash);
      return claims;
    },
    add: (claims) => {
      const ticket = randomBytes(32).toString('base64url');
      byHash.set(createHash('sha256').update(ticket).digest('base64url'), claims);
      return ticket;
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

export function principalOf({ user, session, sessionVersion = 1 }: TicketClaims): Principal {
  return { user, session, sessionVersion, expiresAtMs: null, admin: user === 'admin' };
}
