import { partialPath } from '@wcc/copy/receive';
import * as recovery from '@wcc/copy/recovery';
import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { ignoreMissing } from '../../files/errors.ts';
import type { Action, OperationInput, OperationView, SpaceNeed, DiskState } from '../../operations/action.ts';
import type { StartHooks, Work, WorkResult } from '../../operations/work.ts';
import type { ImagesContext } from '../context.ts';
import { holdPool } from '../pool/held-pool.ts';
import { measureFreeSpace, readReservation } from '../space/free-space.ts';
import { statEntry } from '../scan/stat-entry.ts';
import { wasPublished } from './linked-partial.ts';
import { registerImage } from './register-image.ts';
import type { NewImage } from './register-image.ts';

/** The input of an operation that publishes one new image in its pool. */
export interface PublishInput extends OperationInput {
  targetId: number;
  targetName: string;
  ownerId: string;
}

export interface StartOptions {
  /** The directory of the pool, held open until the work ends. */
  directory: string;
  hooks: StartHooks;
}

export interface PublishedFile {
  path: string;
  /** Null when only the disk shows that the file was published. */
  result: WorkResult | null;
}

/** Content and origin of an image, for its record. */
export type ImageFacts = Omit<NewImage, 'id' | 'poolId' | 'directory' | 'name' | 'ownerId'>;

type Same =
  | 'name'
  | 'canPause'
  | 'clientDriven'
  | 'isNetworkBound'
  | 'limitOf'
  | 'phases'
  | 'durableProgress'
  | 'retry';

/** The parts that differ between the actions that publish a file. */
export interface PublishingAction<Input extends PublishInput> extends Pick<Action<Input>, Same> {
  start(operation: OperationView<Input>, options: StartOptions): Promise<Work>;
  /** The facts of the published image. */
  complete(operation: OperationView<Input>, file: PublishedFile): Promise<ImageFacts> | ImageFacts;
  /** Bytes of the whole file, if the reservation may be smaller. @default the reserved bytes */
  totalBytes?(operation: OperationView<Input>): number | undefined;
  /**
   * Frees the in-memory state of the operation; called after success, failure and cancel. @default nothing
   */
  release?(operation: OperationView<Input>): void;
}

/**
 * An action that publishes one new image in its pool. Partial and sidecar have the id of the operation in their
 * names, so the disk shows whether the file was published. The reservation shows how much space it still needs.
 */
export function publishingAction<Input extends PublishInput>(
  context: ImagesContext,
  action: PublishingAction<Input>,
): Action<Input> {
  const { store, pools } = context;
  const directoryOf = async ({ input }: OperationView<Input>): Promise<string> =>
    (await pools.use(input.poolId)).path;
  const reconcile = async (operation: OperationView<Input>): Promise<DiskState> => {
    const { targetName } = operation.input;
    const where = { directory: await directoryOf(operation), id: operation.id, targetName };
    const found = await recovery.settle(where.directory, where.id, Buffer.from(targetName));
    if (found === 'published' || found === 'resumable') return found;
    return (await wasPublished(where)) ? 'published' : 'nothing';
  };
  return {
    ...action,
    resumesAfterFailure: true,
    async start(operation, hooks) {
      const { directory, release } = await holdPool(pools, operation.input.poolId);
      try {
        const work = await action.start(operation, { directory, hooks });
        void work.done.then(release, release);
        return work;
      } catch (error) {
        await release();
        throw error;
      }
    },
    reconcile,
    isPublished: async (operation) => (await reconcile(operation)) === 'published',
    async complete(operation, result) {
      const { targetId: id, targetName: name, poolId, ownerId } = operation.input;
      // A published file is registered even if the marker of the pool went missing since.
      const { path: directory } = pools.find(poolId);
      // Without its file, it may be on a disk that was unmounted since: then its pool registers it later.
      if ((await statEntry(join(directory, name), name)) === null) await pools.use(poolId);
      const facts = await action.complete(operation, { path: join(directory, name), result });
      return registerImage(store, { ...facts, id, poolId, directory, name, ownerId });
    },
    space: (operation) => spaceOf(context, operation, action.totalBytes?.(operation)),
    async cleanUp(operation) {
      action.release?.(operation);
      await recovery.remove(await directoryOf(operation), operation.id);
    },
    async discardCheckpoint(operation) {
      action.release?.(operation);
      const directory = await directoryOf(operation);
      await recovery.forget(directory, operation.id);
      // A file that was published by a link still has its hidden name.
      await unlink(partialPath(directory, operation.id)).catch(ignoreMissing);
    },
  };
}

async function spaceOf(
  context: ImagesContext,
  { id, input }: OperationView,
  totalBytes: number | undefined,
): Promise<SpaceNeed> {
  const pool = await context.pools.use(input.poolId);
  const own = await readReservation(context.store, pool, id);
  const { freeBytes, freeInodes } = await measureFreeSpace(context, pool, [id]);
  const neededBytes = totalBytes ?? own?.reservedBytes ?? 0;
  return { needsBytes: Math.max(0, neededBytes - (own?.writtenBytes ?? 0)), freeBytes, freeInodes };
}
