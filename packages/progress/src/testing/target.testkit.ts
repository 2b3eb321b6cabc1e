import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Snapshot } from '@wcc/progress';
import { createEventStreams } from '../server/event-streams.ts';
import { createHub } from '../server/hub.ts';
import type { Hub } from '../server/hub.ts';
import type { CompleteRecord } from '../server/hub/record.ts';
import { copyRecord, ended, moved } from '../server/testkit/record.testkit.ts';
import { createTickets } from '../server/tickets.ts';
import type { TicketClaims } from '../server/tickets/store.ts';
import { createGateway } from '../server/gateway.ts';
import { exactHosts, exactOrigins } from '../server/gateway/allow-lists.ts';
import type { WatchIdentity, GatewayOptions } from '../server/gateway/options.ts';
import type { ConformanceOperation, ConformanceTarget, ConformanceUser } from './target.ts';

export const testOrigin = 'http://console.test';

type Principal = WatchIdentity;

/** The rules that the server breaks. @default none */
export interface Faults {
  /** `reusable`: tickets are never deleted. `late`: they are deleted a moment after the look-up. */
  tickets?: 'reusable' | 'late';
  anyTicket?: boolean;
  anyOrigin?: boolean;
  anyoneMayWatch?: boolean;
  revokesNothing?: boolean;
  endsNoSession?: boolean;
  /** Called with each request for events before the gateway. */
  events?: (request: IncomingMessage, response: ServerResponse) => void;
  /** Answers forbidden and unknown operations differently. */
  revealsForbidden?: boolean;
}

export interface RunningTarget extends ConformanceTarget {
  port: number;
  close(): Promise<void>;
}

/** Starts a plain HTTP server with the gateway and the event streams of this package. */
export async function startTarget(faults: Faults = {}): Promise<RunningTarget> {
  const hub = createHub({ tickMs: 20 });
  const rights = new Map<string, ConformanceUser | null>();
  const mayWatch = ({ user }: Principal, { id }: Snapshot): boolean =>
    faults.anyoneMayWatch === true || rights.get(id) === user;
  const issuer = createTicketAuth(faults);
  const options = {
    hub,
    user: (principal: Principal) => principal,
    authorize: (principal: Principal, _action: 'watch', snapshot: Snapshot) => mayWatch(principal, snapshot),
    limits: { socketsPerUser: 1000 },
  };
  const streams = createEventStreams<Principal>({
    ...options,
    ...(faults.revealsForbidden === true && {
      refuse: (_refusal, request, response) => {
        const exists = hub.get(operationOf(request)) !== undefined;
        response.writeHead(exists ? 403 : 404).end('{}');
      },
    }),
  });
  const server = createServer((request, response) => {
    faults.events?.(request, response);
    const user = request.headers.authorization as ConformanceUser;
    const principal = { user, session: user, expiresAtMs: null };
    void streams.serve(request, response, { principal, operation: operationOf(request) });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const gateway = createGateway<Principal>({
    ...options,
    server,
    hosts: exactHosts([`127.0.0.1:${port}`]),
    origins: faults.anyOrigin === true ? () => true : exactOrigins([testOrigin]),
    authenticate: issuer.authenticate,
  });
  return {
    port,
    url: `ws://127.0.0.1:${port}/api/ws`,
    origin: testOrigin,
    ticket: (user) => issuer.issue(user),
    begin: () => Promise.resolve(begin(hub, rights)),
    events: (operation, user) => ({
      url: `http://127.0.0.1:${port}/api/operations/${operation}/events`,
      headers: { authorization: user },
    }),
    revoke: (operation) => {
      if (faults.revokesNothing !== true) rights.set(operation, null);
      hub.reauthorize();
      return Promise.resolve();
    },
    endSession: () => {
      if (faults.endsNoSession !== true) gateway.closeSessions(({ user }) => user === 'watcher');
      return Promise.resolve();
    },
    close: async () => {
      await gateway.shutdown();
      streams.shutdown();
      hub.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const operationOf = ({ url = '' }: IncomingMessage): string => url.split('/')[3] ?? '';

function begin(hub: Hub, rights: Map<string, ConformanceUser | null>): ConformanceOperation {
  let record: CompleteRecord = copyRecord({ owner: 'watcher' });
  const { id } = record;
  rights.set(id, 'watcher');
  hub.put(record);
  const put = (next: CompleteRecord): Promise<void> => {
    record = next;
    hub.put(record);
    return Promise.resolve();
  };
  return {
    id,
    advance: (done) => put(moved(record, done)),
    end: () => put(ended(record)),
  };
}

interface TicketAuth {
  issue(user: string): Promise<string>;
  authenticate: GatewayOptions<Principal>['authenticate'];
}

function createTicketAuth({ tickets: ticketFault, anyTicket = false }: Faults): TicketAuth {
  const tickets = createTickets({ perSession: 1_000_000 });
  const claimsByTicket = new Map<string, TicketClaims>();
  const take = async (ticket: string): Promise<TicketClaims | null> => {
    if (ticketFault === undefined) return tickets.take(ticket);
    const claims = claimsByTicket.get(ticket) ?? null;
    // Time in which a second handshake can use the same ticket.
    await new Promise((resolve) => setTimeout(resolve, 50));
    if (ticketFault === 'late') claimsByTicket.delete(ticket);
    return claims;
  };
  return {
    issue: async (user) => {
      const claims = { session: user, user, purpose: 'watch', origin: testOrigin, sessionVersion: 1 };
      const { ticket } = await tickets.issue(claims);
      claimsByTicket.set(ticket, claims);
      return ticket;
    },
    authenticate: async (_request, ticket) => {
      const claims = ticket === null ? null : await take(ticket);
      const user = claims?.user ?? (anyTicket ? 'watcher' : null);
      return user === null ? null : { user, session: user, expiresAtMs: null };
    },
  };
}
