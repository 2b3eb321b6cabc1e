import type { VmId } from '@wcc/api';
import type { OnError } from '@wcc/progress/server';
import type { ImagesContext } from '../images/context.ts';
import { createNumbers } from '../images/image-rows.ts';
import { createKeyedMutex } from '../concurrency/mutex.ts';
import type { Operations } from '../operations/operations.ts';
import { openSecretBox } from '../storage/secret-box.ts';
import type { Store } from '../storage/store.ts';
import { createVmChanges } from './change/change.ts';
import type { VmChanges } from './change/change.ts';
import type { MachinesContext } from './context.ts';
import { createVmCreator } from './create/create.ts';
import type { VmCreator } from './create/create.ts';
import { removeOrphanDisks } from './change/orphan-disks.ts';
import { sweepAbandoned } from './create/sweep.ts';
import type { Hypervisor } from './hypervisor.ts';
import { createVmReader } from './list.ts';
import type { VmReader } from './list.ts';
import { imagesOfMachines } from './record/image-references.ts';
import { createOperationSecrets } from './record/secrets.ts';
import { createVmScreens } from './screen.ts';
import type { VmScreens } from './screen.ts';
import { createSeeds } from './seed/seeds.ts';
import { createVmSerial } from './serial.ts';
import type { VmSerial } from './serial.ts';

export interface MachinesOptions {
  store: Store;
  operations: Operations;
  images: ImagesContext;
  hypervisor: Hypervisor;
  dataDir: string;
  onError: OnError;
}

/** Virtual machines. Every call checks the rights of the principal that it is given. */
export interface Machines extends VmReader, VmSerial, VmScreens, VmCreator, VmChanges {
  /** Removes files and rows that earlier operations left. Call it after the operations were recovered. */
  start(): Promise<void>;
  /** Releases connections and timers of this process, and leaves machines running. */
  close(): Promise<void>;
}

const sweepMs = 60_000;

export async function createMachines(options: MachinesOptions): Promise<Machines> {
  const { hypervisor, onError } = options;
  const context = await createContext(options);
  options.images.references.add(() => imagesOfMachines(options.store));
  const sweep = (): void => {
    sweepAbandoned(context).catch((error: unknown) => onError(error, { stage: 'machines: sweep' }));
  };
  const timer = setInterval(sweep, sweepMs).unref();
  return {
    ...createVmReader(context),
    ...createVmSerial(context),
    ...createVmScreens(context),
    ...createVmCreator(context),
    ...createVmChanges(context),
    async start() {
      await removeOrphanDisks(context);
      await sweepAbandoned(context);
    },
    async close() {
      clearInterval(timer);
      await hypervisor.close();
    },
  };
}

async function createContext(options: MachinesOptions): Promise<MachinesContext> {
  const { store, operations, images, hypervisor, dataDir, onError } = options;
  return {
    store,
    operations,
    images,
    hypervisor,
    seeds: createSeeds(dataDir),
    secrets: createOperationSecrets(store, await openSecretBox(dataDir)),
    numbers: await createNumbers<VmId>(store, 'vm'),
    machineMutex: createKeyedMutex(),
    onError,
  };
}
