import { randomUUID } from 'node:crypto';
import type { RequestListener, Server } from 'node:http';
import cookiePlugin from '@fastify/cookie';
import type { HealthWarning } from '@wcc/api';
import type { EventStreams, Tickets } from '@wcc/progress/server';
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import fastify, { LogController } from 'fastify';
import type { Snapshot } from '@wcc/progress';
import type { Access } from '../access/access.ts';
import type { Principal } from '../access/principal.ts';
import type { ServerConfig } from '../config/config.ts';
import type { Doctor } from '../doctor/create-doctor.ts';
import type { Store } from '../storage/store.ts';
import type { Addresses } from './addresses.ts';
import { registerApiDocs } from './routes/api-docs.ts';
import { registerAudit } from './routes/audit.ts';
import { registerDoctor } from './routes/doctor.ts';
import { registerBodyDeadline } from './guards/body-deadline.ts';
import { createClientAddress, registerClientAddress } from './client-address.ts';
import type { ConnectionLimits } from './connection-limits.ts';
import { registerConsole } from './console.ts';
import { registerCredentials } from './credentials.ts';
import { registerEntryGuard } from './guards/entry-guard.ts';
import { registerFormTickets } from './live/form-tickets.ts';
import { registerFullDisk } from './guards/full-disk.ts';
import { registerHeaders } from './headers.ts';
import { registerEvents } from './live/events.ts';
import { registerForeignOrigins } from './live/foreign-origins.ts';
import { registerHealth } from './routes/health.ts';
import type { ServerState } from './guards/passing-states.ts';
import { registerPassingStates } from './guards/passing-states.ts';
import { registerFirstBootProfile } from './routes/first-boot-profile.ts';
import { registerRequestBodies } from './guards/request-bodies.ts';
import { registerRequestGuards } from './guards/request-guards.ts';
import { registerLimits } from './limits.ts';
import { registerRequestLog } from './log.ts';
import { withMethodOverride } from './request.ts';
import { registerProblems, sendProblem } from './problems.ts';
import type { SessionCookie } from './session-cookie.ts';
import { registerSessions } from './routes/sessions.ts';
import { registerMachineSocketHints } from './live/machine-sockets.ts';
import { registerSocketHint } from './live/socket.ts';
import type { ServerTicketClaims, TicketTargets } from './live/tickets.ts';
import { registerTickets } from './live/tickets.ts';
import { registerTokens } from './routes/tokens.ts';
import { registerUnreadBody } from './guards/unread-body.ts';
import { registerUsers } from './routes/users.ts';

export interface AppDeps {
  config: ServerConfig;
  version: string;
  logger: FastifyBaseLogger;
  store: Store;
  access: Access;
  tickets: Tickets<ServerTicketClaims>;
  streams: EventStreams<Principal>;
  /** @throws ApiError `not_found` when the principal may not watch it */
  watchable: (id: string, principal: Principal) => Promise<Snapshot>;
  targets: TicketTargets;
  addresses: Addresses;
  cookie: SessionCookie;
  doctor: Doctor;
  state: () => ServerState;
  /** What an administrator should look at although the server works. */
  warnings: () => HealthWarning[];
  /** Bound already; it passes requests to {@link App.listener}. */
  server: Server;
  connections: ConnectionLimits;
  /** Registers the routes of the domain, after guards, credentials, limits and problems. */
  registerDomain: (app: FastifyInstance) => void;
}

export interface App {
  app: FastifyInstance;
  /** Answers requests. */
  listener: RequestListener;
}

/** True when browsers reach this server over TLS, its own or a proxy's. */
export function isSecure({ tls, behindTlsProxy }: ServerConfig): boolean {
  return tls !== null || behindTlsProxy;
}

/** The HTTP side of the server. Hooks run in the order of their registration. */
export async function createApp(deps: AppDeps): Promise<App> {
  const { config, access, addresses, cookie } = deps;
  const secure = isSecure(config);
  const { app, listener } = createBareApp(deps);
  // Before the first hook that waits for a body.
  registerBodyDeadline(app);
  registerRequestBodies(app);
  // First, because log lines, limits and audit rows of refused requests need the client address too.
  registerClientAddress(app, createClientAddress(config.trustedProxies));
  await registerHeaders(app, { hsts: config.hsts && secure, version: deps.version });
  await app.register(cookiePlugin);
  registerProblems(app);
  registerRequestLog(app);
  registerForeignOrigins(app, { origins: config.foreignOrigins });
  // Before the credentials, so that a foreign page causes no database access and learns nothing from the timing.
  registerRequestGuards(app, { addresses, cookie });
  registerPassingStates(app, deps);
  registerCredentials(app, deps);
  registerFormTickets(app, deps);
  registerEntryGuard(app);
  registerFullDisk(app, deps);
  registerUnreadBody(app);
  await registerLimits(app, { access });

  registerHealth(app, deps);
  registerApiDocs(app, deps);
  registerSessions(app, { access, cookie, version: deps.version });
  registerFirstBootProfile(app, { access });
  registerUsers(app, { access });
  registerTokens(app, { access });
  registerTickets(app, { ...deps, foreignOrigins: config.foreignOrigins });
  registerEvents(app, deps);
  registerAudit(app, deps);
  registerDoctor(app, deps);
  registerSocketHint(app);
  registerMachineSocketHints(app);
  deps.registerDomain(app);
  await registerConsole(app, { directory: config.consoleDir });
  await app.ready();
  return { app, listener };
}

function createBareApp({ logger, server }: AppDeps): App {
  let listener: RequestListener | undefined;
  const app = fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    // No hook runs for a malformed address, so the important headers are set here.
    frameworkErrors: (error, request, reply) => {
      void reply.headers({ 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' });
      sendProblem(error, request, reply);
    },
    genReqId: () => randomUUID(),
    requestIdHeader: false,
    forceCloseConnections: 'idle',
    // Else fastify itself answers the last requests of a stop with 503, before `registerPassingStates`.
    return503OnClosing: false,
    routerOptions: { maxParamLength: 256 },
    serverFactory: (handle) => {
      listener = withMethodOverride(handle);
      return server;
    },
  });
  if (listener === undefined) throw new Error('fastify did not make its listener');
  return { app, listener };
}
