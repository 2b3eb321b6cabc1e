import { join } from 'node:path';
import type { EventStreams, Hub, OnError, Tickets, WebSocketGateway } from '@wcc/progress/server';
import { createHub, createTickets } from '@wcc/progress/server';
import type { FastifyBaseLogger } from 'fastify';
import type { Access } from './access/access.ts';
import { createAccess } from './access/access.ts';
import type { Principal } from './access/principal.ts';
import type { ServerConfig } from './config/config.ts';
import { assertPoolUsable, lockDataDir, prepareDataDir } from './config/data-dir.ts';
import { ConfigError } from './config/errors.ts';
import type { Domain } from './create-domain.ts';
import { createDomain } from './create-domain.ts';
import type { Addresses } from './http/addresses.ts';
import { createAddresses } from './http/addresses.ts';
import type { App } from './http/app.ts';
import { createApp, isSecure } from './http/app.ts';
import { createClientAddress } from './http/client-address.ts';
import { cookieName } from './http/credentials.ts';
import type { ListeningServer } from './http/listening.ts';
import { listen } from './http/listening.ts';
import { attachScreens } from './http/live/screen.ts';
import type { ScreenGateway } from './http/live/screen.ts';
import { createSocketGateway, openSessions } from './http/live/socket.ts';
import type { SocketDeps } from './http/live/socket.ts';
import type { ServerTicketClaims } from './http/live/tickets.ts';
import { createStreams, createWatchRules } from './http/live/watch-rules.ts';
import type { WatchRules } from './http/live/watch-rules.ts';
import { logState } from './http/log.ts';
import type { ServerState } from './http/routes/health.ts';
import type { Metrics } from './metrics/metrics.ts';
import { createMetrics } from './metrics/metrics.ts';
import type { OnState } from './operations/engine.ts';
import { StoreError } from './storage/errors.ts';
import { readInstallationId } from './storage/installation.ts';
import type { Store } from './storage/store.ts';
import { openStore } from './storage/store.ts';
import type { Undo } from './undo.ts';
import { createUndo } from './undo.ts';

export interface StartOptions {
  config: ServerConfig;
  version: string;
  logger: FastifyBaseLogger;
  /** Destination of the one-time sign-in link: `terminal` for the caller, who prints `firstSignIn`, or a file. */
  signInLinkTarget: 'terminal' | 'file';
}

/** A server that is ready: it listens, and its operations are recovered. */
export interface RunningServer {
  readonly port: number;
  /** Address of the console. */
  readonly url: string;
  /** The one-time link or the path of its file; null when an administrator exists. */
  readonly firstSignIn: { link: string } | { file: string } | null;
  readonly store: Store;
  readonly hub: Hub;
  /** Graceful: watchers get a close code, copies write a checkpoint. Idempotent. */
  stop(): Promise<void>;
}

/**
 * Starts all parts of the server. A stop and a failed start undo the completed steps in reverse order.
 * @throws ConfigError when the server cannot run as configured
 */
export async function startServer(options: StartOptions): Promise<RunningServer> {
  const undo = createUndo();
  try {
    return await start(options, undo);
  } catch (error) {
    // The caller gets the reason of the failed start. The log gets a failure to undo it.
    await undo
      .all()
      .catch((cause: unknown) => options.logger.error({ err: cause }, 'stopping after a failed start'));
    throw error;
  }
}

/** Shared by all steps of the start. */
interface StartContext extends StartOptions {
  undo: Undo;
  onError: OnError;
  listening: ListeningServer;
  addresses: Addresses;
}

async function start(options: StartOptions, undo: Undo): Promise<RunningServer> {
  const { config, logger } = options;
  const status: { state: ServerState } = { state: 'starting' };
  const onError: OnError = (error, { stage }) => {
    logger.error({ err: error, stage }, 'background failure');
    if (stage === 'storage' && status.state !== 'stopping') status.state = 'database_unavailable';
  };
  await claimDataDir(options, undo);
  const listening = await listen(config);
  undo.add(() => listening.close());
  const addresses = createAddresses(config, listening.port);
  const context = { ...options, undo, onError, listening, addresses };
  const backend = await createBackend(context);
  // Requests may still use the store, so their connections end before the store closes.
  undo.add(() => listening.close());
  await backend.domain.start();
  undo.add(() => backend.domain.stop());
  const firstSignIn = await offerFirstSignIn(backend.access, context);
  const frontend = await createFrontend(context, backend, () => status.state);
  const sockets = attachSockets(context, backend, frontend);
  undo.add(() => frontend.streams.shutdown());
  undo.add(() => {
    listening.stopAccepting();
    return frontend.app.close();
  });
  undo.add(startSweep(backend.access, { gateway: sockets.gateway, onError }));
  undo.add(() => (status.state = 'stopping'));
  if (status.state === 'starting') status.state = 'ready';
  listening.open(frontend.listener);
  const { store, hub } = backend;
  return {
    port: listening.port,
    url: addresses.consoleUrl,
    firstSignIn,
    store,
    hub,
    stop: () => undo.all(),
  };
}

async function claimDataDir({ config, logger }: StartOptions, undo: Undo): Promise<void> {
  await prepareDataDir(config.dataDir);
  await assertPoolUsable(config.pool);
  const lock = lockDataDir(config.dataDir);
  if (lock) undo.add(() => lock.release());
  else logger.warn('this system cannot lock the data directory: never start wcc twice on it');
}

/** The parts of the server that do not depend on HTTP. */
interface Backend {
  store: Store;
  hub: Hub;
  access: Access;
  domain: Domain;
  metrics: Metrics;
}

async function createBackend({ config, undo, onError, logger, addresses }: StartContext): Promise<Backend> {
  const hub = createHub({ onError });
  undo.add(() => hub.close());
  const metrics = createMetrics({ hub });
  undo.add(() => metrics.close());
  const store = metrics.measureCommits(await openDatabase(config, onError));
  undo.add(() => store.close());
  const access = createAccess({ store, onError, dataDir: config.dataDir, adminToken: config.adminToken });
  const installationId = await readInstallationId(store);
  const onState: OnState = (record) => {
    metrics.recordState(record);
    logState(logger, record);
  };
  await access.grants.load();
  const { consoleUrl } = addresses;
  const shared = { config, store, hub, access, metrics, onError };
  const domain = await createDomain({ ...shared, onState, installationId, consoleUrl });
  return { store, hub, access, domain, metrics };
}

async function openDatabase({ dataDir }: ServerConfig, onError: OnError): Promise<Store> {
  try {
    return await openStore(join(dataDir, 'wcc.sqlite'), { onError });
  } catch (cause) {
    if (cause instanceof StoreError) throw new ConfigError('database_unusable', cause.message, cause);
    throw cause;
  }
}

/** The HTTP app, and what its sockets share with it. */
interface Frontend extends App {
  tickets: Tickets<ServerTicketClaims>;
  rules: WatchRules;
  streams: EventStreams<Principal>;
}

async function createFrontend(
  { config, version, logger, onError, listening, addresses }: StartContext,
  backend: Backend,
  state: () => ServerState,
): Promise<Frontend> {
  const { access, domain, metrics, store, hub } = backend;
  const tickets = createTickets<ServerTicketClaims>();
  const rules = createWatchRules({ hub, access, onError, lookup: (id) => domain.lookup(id) });
  const streams = createStreams(rules, access);
  const app = await createApp({
    config,
    version,
    logger,
    store,
    access,
    tickets,
    streams,
    addresses,
    state,
    server: listening.server,
    watchable: (id, principal) => domain.watchable(id, principal),
    screen: (principal, id) => domain.screen(principal, id),
    registerDomain: (instance) => domain.registerRoutes(instance),
  });
  metrics.addWatchers('sse', () => streams.stats());
  return { ...app, tickets, rules, streams };
}

interface Sockets {
  gateway: WebSocketGateway<Principal>;
  screens: ScreenGateway;
}

function attachSockets(
  { config, undo, onError, listening, addresses }: StartContext,
  { access, domain, metrics }: Backend,
  { app, tickets, rules }: Frontend,
): Sockets {
  const socket: Omit<SocketDeps, 'rules' | 'may'> = {
    access,
    tickets,
    addresses,
    foreignOrigins: config.foreignOrigins,
    server: listening.server,
    clientAddress: createClientAddress(config.trustedProxies),
    cookie: cookieName(isSecure(config)),
    parseCookie: (header) => app.parseCookie(header),
  };
  const may: SocketDeps['may'] = (principal, snapshot) => domain.may(principal, snapshot);
  const gateway = createSocketGateway({ ...socket, rules, may });
  undo.add(() => gateway.shutdown());
  const screens = attachScreens({
    ...socket,
    screen: (principal, id) => domain.screen(principal, id),
    onScreen: (principal, id) => domain.noteScreen(principal, id),
    onError,
  });
  undo.add(() => screens.close());
  metrics.addWatchers('websocket', () => gateway.stats());
  return { gateway, screens };
}

const sweepMs = 60_000;

/** Extends the sessions of open pages and removes expired ones. @returns a function that stops the sweep */
function startSweep(
  { sessions }: Access,
  { gateway, onError }: { gateway: WebSocketGateway<Principal>; onError: OnError },
): () => void {
  const sweep = async (): Promise<void> => {
    await sessions.touch(openSessions(gateway));
    await sessions.sweep();
  };
  const timer = setInterval(() => {
    sweep().catch((error: unknown) => onError(error, { stage: 'session-sweep' }));
  }, sweepMs);
  timer.unref();
  return () => clearInterval(timer);
}

/** Renews the one-time link. The secret is in the fragment, so no browser sends it and no log shows it. */
async function offerFirstSignIn(
  { firstSignIn }: Access,
  { addresses, signInLinkTarget }: StartContext,
): Promise<RunningServer['firstSignIn']> {
  const secret = await firstSignIn.renew();
  if (secret === null) return null;
  const link = `${addresses.consoleUrl}/first-sign-in#${secret}`;
  return signInLinkTarget === 'terminal' ? { link } : { file: await firstSignIn.writeLinkFile(link) };
}
