import { join } from 'node:path';
import type { EventStreams, Hub, OnError, Tickets } from '@wcc/progress/server';
import { createHub, createTickets } from '@wcc/progress/server';
import type { FastifyBaseLogger } from 'fastify';
import type { Access } from './access/access.ts';
import { createAccess } from './access/access.ts';
import type { Principal } from './access/principal.ts';
import { anchorAudit } from './anchor-audit.ts';
import type { ServerConfig } from './config/config.ts';
import { assertPoolUsable, lockDataDir, prepareDataDir } from './config/data-dir.ts';
import type { Domain } from './create-domain.ts';
import { createDomain } from './create-domain.ts';
import type { Doctor } from './doctor/create-doctor.ts';
import { createDoctor } from './doctor/create-doctor.ts';
import type { Addresses } from './http/addresses.ts';
import { createAddresses } from './http/addresses.ts';
import type { App } from './http/app.ts';
import { createApp, isSecure } from './http/app.ts';
import { systemClock } from './concurrency/clock.ts';
import { createClientAddress } from './http/client-address.ts';
import type { ListeningServer } from './http/listening.ts';
import { listen } from './http/listening.ts';
import { createMachineChannels, createTicketTargets } from './http/live/machine-channels.ts';
import { attachMachineSockets, createMachineSocketLimits } from './http/live/machine-sockets.ts';
import type { MachineSocketLimits } from './http/live/machine-sockets.ts';
import { createSocketGateway } from './http/live/socket.ts';
import type { SocketDeps } from './http/live/socket.ts';
import type { ServerTicketClaims } from './http/live/tickets.ts';
import { createStreams, createWatchRules } from './http/live/watch-rules.ts';
import type { WatchRules } from './http/live/watch-rules.ts';
import { logJump, logState, logUpdate } from './http/log.ts';
import { createSessionCookie } from './http/session-cookie.ts';
import type { SessionCookie } from './http/session-cookie.ts';
import type { ServerState } from './http/guards/passing-states.ts';
import type { Metrics } from './metrics/metrics.ts';
import { createMetrics } from './metrics/metrics.ts';
import type { OnState } from './operations/engine.ts';
import type { RunningRetentionClock } from './storage/retention-clock.ts';
import { openRetentionClock } from './storage/retention-clock.ts';
import { readInstallationId } from './storage/installation.ts';
import type { Store } from './storage/store.ts';
import { openStore } from './storage/store.ts';
import { createReload } from './reload.ts';
import type { SchemaUpdate } from './storage/messages.ts';
import { toStartError } from './start-error.ts';
import type { OwnCertificateFacts } from './start-tls.ts';
import { ownCertificateFacts, runTls, withCertificate } from './start-tls.ts';
import { warnAboutDisks } from './start-warnings.ts';
import type { Undo } from './undo.ts';
import { createUndo } from './undo.ts';
import { watchSessions } from './watch-sessions.ts';

export interface StartOptions {
  config: ServerConfig;
  version: string;
  logger: FastifyBaseLogger;
  /** Destination of the one-time sign-in link: `terminal` for the caller, who prints `firstSignIn`, or a file. */
  signInLinkTarget: 'terminal' | 'file';
  /** The start takes long, because it updates the database. @default no call */
  onUpdate?: (update: SchemaUpdate) => void;
  /** The server has lost its database for good: the process should end. @default no call */
  onFatal?: (error: unknown) => void;
}

/** A server that is ready: it listens, and its operations are recovered. */
export interface RunningServer {
  readonly port: number;
  /** Address of the console. */
  readonly url: string;
  /** The one-time link or the path of its file; null when an administrator exists. */
  readonly firstSignIn: { link: string } | { file: string } | null;
  /** For people who compare it; null unless the server made its certificate itself. */
  readonly ownCertificate: OwnCertificateFacts;
  readonly store: Store;
  readonly hub: Hub;
  /** Applies settings that were read again. @throws ConfigError, and keeps the earlier settings */
  reload(config: ServerConfig): void;
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
    options.logger.debug({ err: error }, 'start failed');
    throw toStartError(error, options.config);
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
  const { logger } = options;
  const status: { state: ServerState } = { state: 'starting' };
  const onError: OnError = (error, { stage }) => {
    logger.error({ err: error, stage }, 'background failure');
  };
  await claimDataDir(options, undo);
  const config = await withCertificate(options.config);
  const listening = await listen(config);
  undo.add(() => listening.close());
  const addresses = createAddresses(config, listening.port);
  const doctor = createDoctor(config);
  undo.add(() => doctor.close());
  const onChange = doctor.useTls;
  const tls = runTls({ config, server: listening.server, addresses, onChange, onError });
  undo.add(() => tls.stop());
  const context = { ...options, config, undo, onError, listening, addresses };
  const backend = await createBackend(context);
  // Requests may still use the store, so their connections end before the store closes.
  undo.add(() => listening.close());
  await backend.domain.start();
  undo.add(() => backend.domain.stop());
  const firstSignIn = await offerFirstSignIn(backend.access, context);
  await warnAboutDisks(config, { logger, store: backend.store });
  const isAway = (): boolean => status.state === 'ready' && !backend.store.status().isOpen;
  const state = (): ServerState => (isAway() ? 'database_unavailable' : status.state);
  const frontend = await createFrontend({ ...context, doctor }, backend, state);
  attachSockets(context, backend, frontend);
  undo.add(() => frontend.streams.shutdown());
  undo.add(() => {
    listening.stopAccepting();
    return frontend.app.close();
  });
  undo.add(watchSessions(backend, { rules: frontend.rules, onError }));
  undo.add(() => (status.state = 'stopping'));
  status.state = 'ready';
  listening.open(frontend.listener);
  const { store, hub } = backend;
  return {
    port: listening.port,
    url: addresses.consoleUrl,
    firstSignIn,
    store,
    hub,
    ownCertificate: ownCertificateFacts(config),
    reload: createReload({ config: options.config, tls, logger }),
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
  retention: RunningRetentionClock;
  hub: Hub;
  access: Access;
  domain: Domain;
  metrics: Metrics;
}

async function createBackend(context: StartContext): Promise<Backend> {
  const { config, undo, onError, logger, addresses } = context;
  const hub = createHub({ onError });
  undo.add(() => hub.close());
  const metrics = createMetrics({ hub });
  undo.add(() => metrics.close());
  const { onFatal = () => {}, onUpdate = () => {} } = context;
  const database = await openStore(join(config.dataDir, 'wcc.sqlite'), {
    onError,
    onFatal,
    onUpdate: (update) => {
      onUpdate(update);
      logUpdate(logger, update);
    },
  });
  const store = metrics.measureStore(database);
  undo.add(() => store.close());
  undo.add(await anchorAudit(store, { config, logger, onError }));
  const retention = await openRetentionClock(store, {
    clock: systemClock,
    onJump: (jumpMs) => logJump(logger, jumpMs),
    onError,
  });
  undo.add(() => retention.close());
  const { dataDir, adminToken } = config;
  const access = createAccess({ store, retention, onError, dataDir, adminToken });
  const installationId = await readInstallationId(store);
  const onState: OnState = (record) => {
    metrics.recordState(record);
    logState(logger, record);
  };
  await access.grants.load();
  const { consoleUrl } = addresses;
  const shared = { config, store, retention, hub, access, metrics, onError };
  const domain = await createDomain({ ...shared, onState, installationId, consoleUrl });
  return { store, retention, hub, access, domain, metrics };
}

/** The HTTP app, and what its sockets share with it. */
interface Frontend extends App {
  tickets: Tickets<ServerTicketClaims>;
  rules: WatchRules;
  streams: EventStreams<Principal>;
  cookie: SessionCookie;
  limits: MachineSocketLimits;
}

async function createFrontend(
  { config, version, logger, doctor, onError, listening, addresses }: StartContext & { doctor: Doctor },
  backend: Backend,
  state: () => ServerState,
): Promise<Frontend> {
  const { access, domain, metrics, store, retention, hub } = backend;
  const tickets = createTickets<ServerTicketClaims>();
  const rules = createWatchRules({
    hub,
    access,
    onError,
    lookup: (id) => domain.lookup(id),
    may: (principal, snapshot) => domain.may(principal, snapshot),
  });
  const streams = createStreams(rules, access);
  const cookie = createSessionCookie({ secure: isSecure(config) });
  const limits = createMachineSocketLimits();
  const app = await createApp({
    config,
    version,
    logger,
    store,
    access,
    tickets,
    streams,
    addresses,
    cookie,
    doctor,
    state,
    warnings: () => (retention.jumpMs === 0 ? [] : ['clock_jumped']),
    server: listening.server,
    connections: listening.connections,
    watchable: (id, principal) => domain.watchable(id, principal),
    targets: createTicketTargets(domain, limits),
    registerDomain: (instance) => domain.registerRoutes(instance),
  });
  metrics.addWatchers('sse', () => streams.stats());
  return { ...app, tickets, rules, streams, cookie, limits };
}

function attachSockets(
  { config, undo, onError, listening, addresses }: StartContext,
  { access, domain, metrics }: Backend,
  { cookie, tickets, rules, limits }: Frontend,
): void {
  const socket: Omit<SocketDeps, 'rules'> = {
    access,
    tickets,
    addresses,
    foreignOrigins: config.foreignOrigins,
    server: listening.server,
    clientAddress: createClientAddress(config.trustedProxies),
    cookie,
  };
  const gateway = createSocketGateway({ ...socket, rules });
  undo.add(() => gateway.shutdown());
  const machineSockets = attachMachineSockets({
    ...socket,
    limits,
    channels: createMachineChannels(domain, onError),
    onError,
  });
  undo.add(() => machineSockets.close());
  metrics.addWatchers('websocket', () => gateway.stats());
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
