import { randomUUID } from 'node:crypto';
import type { RequestListener, Server } from 'node:http';
import cookiePlugin from '@fastify/cookie';
import type { VmId } from '@wcc/api';
import type { EventStreams, Tickets } from '@wcc/progress/server';
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import fastify, { LogController } from 'fastify';
import type { Snapshot } from '@wcc/progress';
import type { Access } from '../access/access.ts';
import type { Principal } from '../access/principal.ts';
import type { ServerConfig } from '../config/config.ts';
import type { Store } from '../storage/store.ts';
import type { Addresses } from './addresses.ts';
import { registerApiDocs } from './routes/api-docs.ts';
import { registerAudit } from './routes/audit.ts';
import { registerBodyDeadline } from './body-deadline.ts';
import { createClientAddress, registerClientAddress } from './client-address.ts';
import { registerConsole } from './console.ts';
import { cookieName, registerCredentials } from './credentials.ts';
import { registerHeaders } from './headers.ts';
import { registerEvents } from './live/events.ts';
import { registerForeignOrigins } from './live/foreign-origins.ts';
import type { ServerState } from './routes/health.ts';
import { registerHealth, registerReadiness } from './routes/health.ts';
import { registerFirstBootProfile } from './routes/first-boot-profile.ts';
import { registerRequestGuards } from './request-guards.ts';
import { registerLimits } from './limits.ts';
import { registerRequestLog } from './log.ts';
import { withMethodOverride } from './request.ts';
import { registerProblems, sendProblem } from './problems.ts';
import { registerSessions } from './routes/sessions.ts';
import { registerScreenHint } from './live/screen.ts';
import { registerSocketHint } from './live/socket.ts';
import type { ServerTicketClaims } from './live/tickets.ts';
import { registerTickets } from './live/tickets.ts';
import { registerTokens } from './routes/tokens.ts';
import { registerUnreadBody } from './unread-body.ts';
import { registerUsers } from './routes/users.ts';

/** Maximum size of a JSON body. */
const bodyBytes = 65_536;

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
  /** @throws ApiError when the principal may not see the screen, or the machine has none now */
  screen: (principal: Principal, id: VmId) => Promise<unknown>;
  addresses: Addresses;
  state: () => ServerState;
  /** Bound already; it passes requests to {@link App.listener}. */
  server: Server;
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
  const { config, access, addresses } = deps;
  const secure = isSecure(config);
  const cookie = cookieName(secure);
  const { app, listener } = createBareApp(deps);
  // First, because log lines, limits and audit rows of refused requests need the client address too.
  registerClientAddress(app, createClientAddress(config.trustedProxies));
  await registerHeaders(app, { secure, version: deps.version });
  await app.register(cookiePlugin);
  registerProblems(app);
  registerRequestLog(app);
  registerForeignOrigins(app, { origins: config.foreignOrigins });
  // Before the credentials, so that a foreign page causes no database access and learns nothing from the timing.
  registerRequestGuards(app, { addresses, cookie });
  registerReadiness(app, deps);
  registerCredentials(app, { access, cookie });
  registerBodyDeadline(app);
  registerUnreadBody(app);
  await registerLimits(app);

  registerHealth(app, deps);
  registerApiDocs(app, deps);
  registerSessions(app, { access, cookie, secure, version: deps.version });
  registerFirstBootProfile(app, { access });
  registerUsers(app, { access });
  registerTokens(app, { access });
  registerTickets(app, { ...deps, foreignOrigins: config.foreignOrigins });
  registerEvents(app, deps);
  registerAudit(app, deps);
  registerSocketHint(app);
  registerScreenHint(app);
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
    bodyLimit: bodyBytes,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 256 },
    serverFactory: (handle) => {
      listener = withMethodOverride(handle);
      return server;
    },
  });
  if (listener === undefined) throw new Error('fastify did not make its listener');
  app.removeContentTypeParser('text/plain');
  return { app, listener };
}
