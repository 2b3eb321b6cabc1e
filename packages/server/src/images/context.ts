import type { ImageId } from '@wcc/api';
import type { Hub, OnError } from '@wcc/progress/server';
import type { Mutex } from '../concurrency/mutex.ts';
import type { Operations } from '../operations/operations.ts';
import type { FileLooks } from './file-looks.ts';
import type { FreeSpaceFloor } from './space/reservations.ts';
import type { Store } from '../storage/store.ts';
import type { Numbers } from './image-rows.ts';
import type { Pools } from './pool/pools.ts';
import type { ImageReferences } from './references.ts';

/** Shared by all parts of the images. */
export interface ImagesContext {
  readonly store: Store;
  readonly hub: Hub;
  readonly pools: Pools;
  readonly operations: Operations;
  readonly numbers: Numbers<ImageId>;
  readonly references: ImageReferences;
  readonly looks: FileLooks;
  readonly floor: FreeSpaceFloor;
  /** Limit for images from outside: uploads, imports, conversions. */
  readonly maxVirtualSizeBytes: number;
  /** One mutex per file system: it makes the check and the reservation of name and space one step. */
  readonly fileSystemMutex: (key: string) => Mutex;
  /** One mutex per image: it makes the check of an image and the start or end of its use one step. */
  readonly imageMutex: (key: string) => Mutex;
  readonly onError: OnError;
}

/** A request about one image. */
export interface ImageRequest<Body> {
  id: ImageId;
  body: Body;
}
