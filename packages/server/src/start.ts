import { join } from 'node:path';
import type { AddressInfo } from 'node:net';
import type { EventStreams, Hub, OnError, WebSocketGateway } from '@wcc/progress/server';
import { createHub, createTickets } from '@wcc/progress/server';
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import type { Access } from './access/access.ts';
import { createAccess } from './access/access.ts';
import type { ServerConfig } from './config/config.ts';
import { assertPoolUsable, lockDataDir, prepareDataDir } from './config/data-dir.ts';
import { ConfigError } from './config/errors.ts';
import type { Principal } from './access/principal.ts';
import type { Domain } from './domain.ts';
import { createDomain } from './create-domain.ts';
import type { Addresses } from './http/addresses.ts';
import { createAddresses } from './http/addresses.ts';
import { createApp, isSecure } from './http/app.ts';
import { createClientAddress } from './http/client-address.ts';
import { cookieName } from './http/credentials.ts';
import type { Readiness } from './http/routes/health.ts';
import { attachScreens } from './http/live/screen.ts';
import type { ScreenGateway } from './http/live/screen.ts';
import { createSocketGateway, openSessions } from './http/live/socket.ts';
import type { SocketDeps } from './http/live/socket.ts';
import type { ServerTicketClaims } from './http/live/tickets.ts';
import { createStreams, createWatchRules } from './http/live/watch-rules.ts';
import { logState } from './http/log.ts';
import type { Metrics } from './metrics/metrics.ts';
import { createMetrics } from './metrics/metrics.ts';
import type { OnState } from './operations/engine.ts';
import { meterOptions } from './operations/meter-options.ts';
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
  /** Where the one-time link of the first sign-in goes. A terminal's caller prints `firstSignIn`. */
  linkGoesTo: 'terminal' | 'file';
}

/** A server that listens, is recovered and answers. */
export interface RunningServer {
  readonly port: number;
  /** Where a person opens the console. */
  readonly url: string;
  /** The one-time link or the path of the file that holds it; null when an administrator exists. */
  readonly firstSignIn: { link: string } | { file: string } | null;
  readonly store: Store;
  readonly hub: Hub;
  /** Graceful: watchers are told, copies checkpoint. Idempotent. */
  stop(): Promise<void>;
}

/**
 * Starts everything; what was started is stopped in the reverse order, also when a later step fails.
 * @throws ConfigError when it cannot run as configured
 */
export async function startServer(options: StartOptions): Promise<RunningServer> {
  const undo = createUndo();
  try {
    return await start(options, undo);
  } catch (error) {
    // The reason of the failure is what counts; a failing step back must not hide it.
    await undo
      .all()
      .catch((cause: unknown) => options.logger.error({ err: cause }, 'stopping after a failed start'));
    throw error;
  }
}

async function start(options: StartOptions, undo: Undo): Promise<RunningServer> {
  const { config, logger } = options;
  const phase: { hindrance: Hindrance | null } = { hindrance: 'starting' };
  const onError: OnError = (error, { stage }) => {
    logger.error({ err: error, stage }, 'background failure');
    if (stage === 'storage') phase.hindrance ??= 'database_unavailable';
  };
  const core = await startCore(config, { undo, onError, logger });
  const face = await startFace(options, { ...core, phase, undo, onError });
  await core.domain.start();
  undo.add(() => core.domain.stop());
  undo.add(() => face.gateway.shutdown());
  undo.add(() => face.screens.close());
  undo.add(() => face.streams.shutdown());
  // Begun here, awaited as the step of `startFace`: from now on nobody new gets in, not even to be told so.
  undo.add(() => void face.app.close().catch((error: unknown) => onError(error, { stage: 'http-close' })));
  undo.add(startSweep(core.access, { gateway: face.gateway, onError }));
  const firstSignIn = await offerFirstSignIn(core.access, { url: face.url, goesTo: options.linkGoesTo });
  // The first step back: nothing new is let in.
  undo.add(() => (phase.hindrance = 'shutting_down'));
  phase.hindrance = null;
  const { store, hub } = core;
  return { port: face.port, url: face.url, firstSignIn, store, hub, stop: () => undo.all() };
}

type Hindrance = NonNullable<ReturnType<Readiness>>;

interface Core {
  store: Store;
  hub: Hub;
  access: Access;
  domain: Domain;
  metrics: Metrics;
  /** Where people open the console: filled in when the port is known. */
  address: { consoleUrl: string };
}

async function startCore(
  config: ServerConfig,
  { undo, onError, logger }: { undo: Undo; onError: OnError; logger: FastifyBaseLogger },
): Promise<Core> {
  await prepareDataDir(config.dataDir);
  await assertPoolUsable(config.pool);
  const lock = lockDataDir(config.dataDir);
  if (lock) undo.add(() => lock.release());
  else logger.warn('this system cannot lock the data directory: never start wcc twice on it');
  const hub = createHub({ onError, meter: meterOptions });
  undo.add(() => hub.close());
  const metrics = createMetrics({ hub });
  undo.add(() => metrics.close());
  const store = metrics.timed(await openDatabase(config, onError));
  undo.add(() => store.close());
  const access = createAccess({ store, onError, dataDir: config.dataDir, adminToken: config.adminToken });
  const installationId = await readInstallationId(store);
  const onState: OnState = (record) => {
    metrics.reached(record);
    logState(logger, record);
  };
  await access.grants.load();
  const address = { consoleUrl: '' };
  const consoleUrl = (): string => address.consoleUrl;
  const told = { onError, onState };
  const domain = await createDomain({
    ...told,
    config,
    store,
    hub,
    access,
    metrics,
    installationId,
    consoleUrl,
  });
  return { store, hub, access, domain, metrics, address };
}

async function openDatabase({ dataDir }: ServerConfig, onError: OnError): Promise<Store> {
  try {
    return await openStore(join(dataDir, 'wcc.sqlite'), { onError });
  } catch (cause) {
    if (cause instanceof StoreError) throw new ConfigError('database_unusable', cause.message, cause);
    throw cause;
  }
}

interface Face {
  app: FastifyInstance;
  port: number;
  url: string;
  gateway: WebSocketGateway<Principal>;
  screens: ScreenGateway;
  streams: EventStreams<Principal>;
}

/** Listens before it is ready, so that a taken port is known before anything moves. */
async function startFace(
  { config, version, logger }: StartOptions,
  deps: Core & { phase: { hindrance: Hindrance | null }; undo: Undo; onError: OnError },
): Promise<Face> {
  const tickets = createTickets<ServerTicketClaims>();
  const rules = createWatchRules({ ...deps, lookup: (id) => deps.domain.lookup(id) });
  const streams = createStreams(rules, deps.access);
  let addresses: Addresses = createAddresses(config, config.port);
  const app = await createApp({
    ...deps,
    config,
    version,
    logger,
    tickets,
    streams,
    watchable: (id, principal) => deps.domain.watchable(id, principal),
    screen: (principal, id) => deps.domain.screen(principal, id),
    addresses: () => addresses,
    readiness: () => deps.phase.hindrance,
    registerDomain: (instance) => deps.domain.registerRoutes(instance),
  });
  deps.undo.add(() => {
    // Whoever still holds a request open had the time in which the copies wrote their checkpoints.
    app.server.closeAllConnections();
    return app.close();
  });
  const socket: Omit<SocketDeps, 'rules' | 'may'> = {
    access: deps.access,
    tickets,
    foreignOrigins: config.foreignOrigins,
    server: app.server,
    addresses: () => addresses,
    clientAddress: createClientAddress(config.trustedProxies),
    cookie: cookieName(isSecure(config)),
    parseCookie: (header) => app.parseCookie(header),
  };
  const may: SocketDeps['may'] = (principal, snapshot) => deps.domain.may(principal, snapshot);
  const gateway = createSocketGateway({ ...socket, rules, may });
  const screens = attachScreens({
    ...socket,
    screen: (principal, id) => deps.domain.screen(principal, id),
    onScreen: (principal, id) => deps.domain.noteScreen(principal, id),
    onError: deps.onError,
  });
  deps.metrics.watchedBy('websocket', () => gateway.stats());
  deps.metrics.watchedBy('sse', () => streams.stats());
  const port = await listen(app, config);
  addresses = createAddresses(config, port);
  deps.address.consoleUrl = addresses.consoleUrl;
  return { app, port, url: addresses.consoleUrl, gateway, screens, streams };
}

async function listen(app: FastifyInstance, { host, port }: ServerConfig): Promise<number> {
  try {
    // One address, one server: "localhost" would make fastify open a second one without the sockets.
    await app.listen({ host: host === 'localhost' ? '127.0.0.1' : host, port });
  } catch (cause) {
    const { code } = cause as { code?: unknown };
    if (code === 'EADDRINUSE')
      throw new ConfigError('port_in_use', `Port ${port} on ${host} is taken.`, cause);
    const refused = ['EADDRNOTAVAIL', 'EACCES', 'ENOTFOUND', 'EAI_AGAIN', 'EINVAL', 'EAFNOSUPPORT'];
    if (!refused.includes(String(code))) throw cause;
    throw new ConfigError('address_unavailable', `Port ${port} on ${host} cannot be listened on.`, cause);
  }
  return (app.server.address() as AddressInfo).port;
}

const sweepMs = 60_000;

/** An open page is use of its session; what is over is removed. @returns stops it */
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

/** Page 04, step 10. The secret stands in the fragment, which no browser sends and no log sees. */
async function offerFirstSignIn(
  { firstSignIn }: Access,
  { url, goesTo }: { url: string; goesTo: StartOptions['linkGoesTo'] },
): Promise<RunningServer['firstSignIn']> {
  const secret = await firstSignIn.renew();
  if (secret === null) return null;
  const link = `${url}/first-sign-in#${secret}`;
  return goesTo === 'terminal' ? { link } : { file: await firstSignIn.writeLinkFile(link) };
}
