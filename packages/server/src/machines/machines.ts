import type { VmId } from '@wcc/api';
import type { OnError } from '@wcc/progress/server';
import type { ImagesContext } from '../images/context.ts';
import { createNumbers } from '../images/image-rows.ts';
import { createKeyedMutex } from '../concurrency/mutex.ts';
import { repeat } from '../concurrency/repeat.ts';
import type { Operations } from '../operations/operations.ts';
import { openSecretBox } from '../storage/secret-box.ts';
import type { FreeSpaceFloor } from '../images/space/reservations.ts';
import type { Store } from '../storage/store.ts';
import { createVmChanges } from './change/change.ts';
import type { AutostartOptions } from './autostart/autostart.ts';
import { createAutostart } from './autostart/autostart.ts';
import type { VmChanges } from './change/change.ts';
import type { MachinesContext } from './context.ts';
import { createVmCreator } from './create/create.ts';
import type { VmCreator } from './create/create.ts';
import { removeOrphanDisks } from './change/orphan-disks.ts';
import { sweepAbandoned } from './create/sweep.ts';
import { assertDiskCurrent } from './host/disk-layers.ts';
import type { HostMemory } from './host/memory.ts';
import { createMemoryPromises } from './host/memory.ts';
import { createPlaces } from './host/places.ts';
import { createEmergencyFloor } from './emergency/emergency-floor.ts';
import type { Hypervisor } from './hypervisor.ts';
import { createVmReader } from './list.ts';
import type { VmReader } from './list.ts';
import { disksBeingDeleted, imagesOfMachines } from './record/image-references.ts';
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
  /** Free space below which machines are paused. @default none */
  emergencyFloor?: FreeSpaceFloor;
  onError: OnError;
  /** @default the memory of this host */
  readHostMemory?: () => Promise<HostMemory>;
  /** @default see {@link AutostartOptions} */
  autostart?: AutostartOptions;
}

/** Virtual machines. Every call checks the rights of the principal that it is given. */
export interface Machines extends VmReader, VmSerial, VmScreens, VmCreator, VmChanges {
  /**
   * Removes files and rows that earlier operations left, and accepts the starts of a new boot. Call it after the
   * operations were recovered.
   */
  start(): Promise<void>;
  /** Releases connections and timers of this process, and leaves machines running. */
  close(): Promise<void>;
}

const sweepMs = 60_000;

export async function createMachines(options: MachinesOptions): Promise<Machines> {
  const { hypervisor, onError } = options;
  const context = await createContext(options);
  options.images.references.add(() => imagesOfMachines(options.store));
  options.images.references.addCheck((id) => assertDiskCurrent(context, id));
  options.images.references.addDeletions(() => disksBeingDeleted(options.store));
  const stopSweeps = repeat(() => sweepAbandoned(context), {
    everyMs: sweepMs,
    onError: (error) => onError(error, { stage: 'machines: sweep' }),
  });
  const autostart = createAutostart(context, options.autostart);
  return {
    ...createVmReader(context),
    ...createVmSerial(context),
    ...createVmScreens(context),
    ...createVmCreator(context),
    ...createVmChanges(context),
    async start() {
      await removeOrphanDisks(context);
      await sweepAbandoned(context);
      context.emergencyFloor.start();
      await autostart.start();
    },
    async close() {
      stopSweeps();
      autostart.close();
      await context.emergencyFloor.close();
      await hypervisor.close();
    },
  };
}

async function createContext(options: MachinesOptions): Promise<MachinesContext> {
  const { store, operations, images, hypervisor, dataDir, onError, readHostMemory } = options;
  const machineMutex = createKeyedMutex();
  const { emergencyFloor: floor = { bytes: 0, fraction: 0 } } = options;
  return {
    store,
    operations,
    images,
    hypervisor,
    memory: createMemoryPromises({
      store,
      hypervisor,
      ...(readHostMemory && { readHost: readHostMemory }),
    }),
    emergencyFloor: createEmergencyFloor({
      store,
      pools: images.pools,
      hypervisor,
      machineMutex,
      floor,
      onError,
    }),
    places: createPlaces({ pools: images.pools, dataDir }),
    seeds: createSeeds(dataDir),
    secrets: createOperationSecrets(store, await openSecretBox(dataDir)),
    numbers: await createNumbers<VmId>(store, 'vm'),
    machineMutex,
    onError,
  };
}
