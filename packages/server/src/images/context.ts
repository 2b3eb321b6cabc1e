import type { ImageId } from '@wcc/api';
import type { Hub, OnError } from '@wcc/progress/server';
import type { Mutex } from '../concurrency/mutex.ts';
import type { Operations } from '../operations/operations.ts';
import type { FreeSpaceFloor } from './space/promises.ts';
import type { Store } from '../storage/store.ts';
import type { Numbers } from './image-rows.ts';
import type { Pools } from './pool/pools.ts';
import type { ImageReferences } from './references.ts';

/** What all parts of the images' domain share. */
export interface ImagesContext {
  readonly store: Store;
  readonly hub: Hub;
  readonly pools: Pools;
  readonly operations: Operations;
  readonly numbers: Numbers<ImageId>;
  readonly references: ImageReferences;
  readonly floor: FreeSpaceFloor;
  /** Of what comes from elsewhere. */
  readonly maxVirtualSizeBytes: number;
  /** Checks of name and space, and the promises made on them, are one critical section per file system. */
  readonly fileSystemMutex: (key: string) => Mutex;
  readonly onError: OnError;
}
