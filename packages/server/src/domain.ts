import type { Rights, Snapshot } from '@wcc/progress';
import type { Hub, OnError } from '@wcc/progress/server';
import type { FastifyInstance } from 'fastify';
import type { Access } from './access/access.ts';
import type { Principal } from './access/principal.ts';
import type { ServerConfig } from './config/config.ts';
import type { ScreenOfVm } from './machines/screen.ts';
import type { Metrics } from './metrics/metrics.ts';
import type { OnState } from './operations/engine.ts';
import type { Store } from './storage/store.ts';

export interface DomainDeps {
  config: ServerConfig;
  access: Access;
  /** Where people open the console; known once the port is. */
  consoleUrl: () => string;
  store: Store;
  hub: Hub;
  metrics: Metrics;
  /** Told of every state that an operation reaches. */
  onState: OnState;
  /** Names this installation in the markers of its pools. */
  installationId: string;
  onError: OnError;
}

/** What the server is for, as its faces see it: operations on images in pools. */
export interface Domain {
  registerRoutes(app: FastifyInstance): void;
  /** The newest snapshot, if the principal may watch it. @throws ApiError `not_found` */
  watchable(id: string, principal: Principal): Promise<Snapshot>;
  /** A machine's screen, if the principal may see it now. @throws ApiError */
  screen(principal: Principal, id: number): Promise<ScreenOfVm>;
  noteScreen(principal: Principal, id: number): Promise<void>;
  /** What the principal may do with an operation now. */
  may(principal: Principal, snapshot: Snapshot): Rights;
  /** The newest snapshot of an operation, from memory or the store. */
  lookup(id: string): Promise<Snapshot | undefined>;
  /** Opens the pools and takes over what an earlier process left; nothing is served before it is done. */
  start(): Promise<void>;
  /** Running copies checkpoint and become `interrupted`. Takes at most 10 s. */
  stop(): Promise<void>;
}
