import type { VmId } from '@wcc/api';
import type { OnError } from '@wcc/progress/server';
import type { ImagesContext } from '../images/context.ts';
import type { Numbers } from '../images/image-rows.ts';
import type { Mutex } from '../concurrency/mutex.ts';
import type { Operations } from '../operations/operations.ts';
import type { Store } from '../storage/store.ts';
import type { EmergencyFloor } from './emergency/emergency-floor.ts';
import type { MemoryPromises } from './host/memory.ts';
import type { Places } from './host/places.ts';
import type { Hypervisor } from './hypervisor.ts';
import type { OperationSecrets } from './record/secrets.ts';
import type { Seeds } from './seed/seeds.ts';

/** Shared by all parts of `machines`. */
export interface MachinesContext {
  readonly store: Store;
  readonly operations: Operations;
  readonly images: ImagesContext;
  readonly hypervisor: Hypervisor;
  readonly memory: MemoryPromises;
  readonly emergencyFloor: EmergencyFloor;
  readonly places: Places;
  readonly seeds: Seeds;
  readonly secrets: OperationSecrets;
  readonly numbers: Numbers<VmId>;
  /** Serializes calls for one machine. The key is its number. */
  readonly machineMutex: (key: string) => Mutex;
  readonly onError: OnError;
}
