import { join } from 'node:path';
import type { ImageId, VmId } from '@wcc/api';
import { preload } from '@wcc/copy';
import type { FastifyInstance } from 'fastify';
import { createRangeTest } from './config/address-range.ts';
import { registerDownload } from './http/routes/downloads.ts';
import { registerImages } from './http/routes/images.ts';
import { registerMetrics } from './http/routes/metrics.ts';
import { registerOperations } from './http/routes/operations.ts';
import { registerProgressReports } from './http/routes/progress-reports.ts';
import { registerPools } from './http/routes/pools.ts';
import { registerSharing } from './http/routes/sharing.ts';
import { registerUploads } from './http/routes/uploads.ts';
import { registerMachines } from './http/routes/machines.ts';
import { registerMachineScreen } from './http/routes/machine-screen.ts';
import { cancelLostImports } from './images/import/lost-rights.ts';
import { createImages } from './images/images.ts';
import type { Images } from './images/images.ts';
import { createPools } from './images/pool/pools.ts';
import { createHypervisor } from './machines/host/create-hypervisor.ts';
import { createMachines } from './machines/machines.ts';
import type { Machines } from './machines/machines.ts';
import { createOperations } from './operations/operations.ts';
import type { Operations } from './operations/operations.ts';
import { createUploads } from './uploads/uploads.ts';
import type { Uploads } from './uploads/uploads.ts';
import type { Snapshot } from '@wcc/progress';
import type { Rights } from '@wcc/progress/protocol';
import type { Hub, OnError } from '@wcc/progress/server';
import type { Access } from './access/access.ts';
import type { Principal } from './access/principal.ts';
import type { ServerConfig } from './config/config.ts';
import type { ScreenOfVm } from './machines/screen.ts';
import type { VmSerial } from './machines/serial.ts';
import type { Metrics } from './metrics/metrics.ts';
import type { OnState } from './operations/engine.ts';
import type { RetentionClock } from './storage/retention-clock.ts';
import type { Store } from './storage/store.ts';

export interface DomainDeps {
  config: ServerConfig;
  access: Access;
  /** Address of the console. */
  consoleUrl: string;
  store: Store;
  retention: RetentionClock;
  hub: Hub;
  metrics: Metrics;
  /** Called for every state change of an operation. */
  onState: OnState;
  /** The id of this installation in the markers of its pools. */
  installationId: string;
  onError: OnError;
}

/** Operations, images, uploads and machines, as the HTTP layer uses them. */
export interface Domain extends Pick<VmSerial, 'assertSerial' | 'followSerial'> {
  registerRoutes(app: FastifyInstance): void;
  /** The latest snapshot, if the principal may watch it. @throws ApiError `not_found` */
  watchable(id: string, principal: Principal): Promise<Snapshot>;
  /** A machine's screen, if the principal may see it now. @throws ApiError */
  screen(principal: Principal, id: VmId): Promise<ScreenOfVm>;
  /** @throws ApiError when the principal may not download the image, or its file cannot be read now */
  downloadable(principal: Principal, id: ImageId): Promise<void>;
  noteScreen(principal: Principal, id: VmId): Promise<void>;
  /** What the principal may do with an operation now. */
  may(principal: Principal, snapshot: Snapshot): Rights;
  /** The latest snapshot of an operation, in a time that does not depend on where it is. */
  lookup(id: string): Promise<Snapshot | undefined>;
  /** Opens the pools and recovers the operations of an earlier process. No request is served before it resolves. */
  start(): Promise<void>;
  /** Running copies write a checkpoint and become `interrupted`. Takes at most 10 s. */
  stop(): Promise<void>;
}

/** Creates operations, images, pools, uploads and machines. */
export async function createDomain(deps: DomainDeps): Promise<Domain> {
  const { config, store, retention, hub, access, installationId, onError, onState } = deps;
  const pools = await createPools({ store, installationId, pool: config.pool, onError });
  const operations = createOperations({
    store,
    retention,
    hub,
    onError,
    onState,
    granted: (operationId, userId) => access.grants.levelOf(operationId, userId),
    maxRunningPerPool: config.maxCopiesPerPool,
    isPoolReady: (poolId) => pools.isReady(poolId),
  });
  const { freeSpaceFloor, maxVirtualSizeBytes } = config;
  const images = await createImages({
    store,
    hub,
    operations,
    pools,
    freeSpaceFloor,
    maxVirtualSizeBytes,
    onError,
    mayImportFrom: createRangeTest(config.importAllow),
  });
  endLostImports(deps, images);
  const machines = await buildMachines(deps, { operations, images });
  const uploads = createUploads({ images: images.context, settings: config.uploads });
  return {
    registerRoutes: (app) => registerRoutes(app, { ...deps, operations, images, uploads, machines }),
    watchable: (id, principal) => operations.get(id, principal),
    may: (principal, snapshot) => ({ ...operations.may(snapshot, principal) }),
    screen: (principal, id) => machines.screen(principal, id),
    assertSerial: (principal, id) => machines.assertSerial(principal, id),
    followSerial: (principal, id, options) => machines.followSerial(principal, id, options),
    downloadable: async (principal, id) => (await images.open(principal, id)).file.close(),
    noteScreen: (principal, id) => machines.noteScreen(principal, id),
    lookup: (id) => operations.lookup(id),
    async start() {
      // Starting a thread takes longer than a whole copy by shared blocks, so a thread starts early.
      preload().catch((error: unknown) => onError(error, { stage: 'copy: warm-up' }));
      await images.start();
      await machines.start();
    },
    async stop() {
      uploads.close();
      await operations.stop();
      await images.close();
      await machines.close();
    },
  };
}

function endLostImports({ access, onError }: DomainDeps, { context }: Images): void {
  access.onRevoked((revocation) => {
    if (!('userId' in revocation)) return;
    cancelLostImports(context, revocation.userId).catch((error: unknown) =>
      onError(error, { stage: 'imports: lost rights' }),
    );
  });
}

interface Parts extends Pick<DomainDeps, 'access' | 'consoleUrl' | 'metrics'> {
  operations: Operations;
  images: Images;
  uploads: Uploads;
  machines: Machines;
}

function registerRoutes(app: FastifyInstance, parts: Parts): void {
  const { access, operations, images, uploads, machines, metrics, consoleUrl } = parts;
  registerOperations(app, { operations });
  registerProgressReports(app, { operations });
  registerSharing(app, { access, operations, consoleUrl });
  registerImages(app, { images, operations });
  registerDownload(app, { images });
  registerPools(app, { images });
  registerUploads(app, { uploads });
  registerMachines(app, { machines, operations });
  registerMachineScreen(app, { machines });
  registerMetrics(app, { metrics, images });
}

async function buildMachines(
  { config, store, onError }: DomainDeps,
  { operations, images }: { operations: Operations; images: Images },
): Promise<Machines> {
  const { dataDir, hypervisor, emergencyFloor } = config;
  const dir = join(dataDir, 'machines');
  return createMachines({
    store,
    operations,
    images: images.context,
    hypervisor: await createHypervisor({ dir, ...hypervisor, onError }),
    dataDir,
    emergencyFloor,
    onError,
  });
}
