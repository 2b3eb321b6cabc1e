import { ApiError } from '@wcc/api';
import {
  CopyError,
  createReceived,
  forget,
  openReceived,
  readCheckpoint,
  removeRemains,
  settlePublication,
} from '@wcc/copy';
import type { ReceivedFile, Receiving } from '@wcc/copy';
import { join } from 'node:path';
import { toWorkFailure } from '../operations/failure.ts';
import { registerImage } from '../images/register-image.ts';
import { inspectForeign } from '../images/foreign/inspect.ts';
import { measureRoom, readReservation } from '../images/free-space.ts';
import type { Action, OperationView } from '../operations/action.ts';
import type { StartHooks, Work } from '../operations/work.ts';
import { scratchOf } from './context.ts';
import type { UploadsContext } from './context.ts';
import { finishUpload } from './finish.ts';
import { uploadAction } from './upload.ts';
import type { UploadInput } from './upload.ts';
import { UploadSession } from './upload-session.ts';

/** The action `upload_image`. Its client drives it by the tus protocol. */
export function createUploadAction(context: UploadsContext): Action {
  const { pools, store } = context.images;
  const input = (operation: OperationView): UploadInput => operation.input as UploadInput;
  const directory = async (operation: OperationView): Promise<string> =>
    (await pools.use(operation.input.poolId)).path;
  const remove = async (operation: OperationView): Promise<void> => {
    await removeRemains(await directory(operation), operation.id).catch((error: unknown) => {
      throw toWorkFailure(error);
    });
    context.scratch.delete(operation.id);
  };
  return {
    name: uploadAction,
    canPause: true,
    driven: {
      isComplete: async (operation) => (await offsetOf(context, operation)) === input(operation).sizeBytes,
    },
    phases: () => ['receive', 'flush', 'inspect', 'publish'],
    start: (operation, hooks) => start(context, operation, hooks),
    async settle(operation) {
      const { targetName } = input(operation);
      const found = await settlePublication(
        await directory(operation),
        operation.id,
        Buffer.from(targetName),
      );
      return found === 'published' || found === 'resumable' ? found : 'nothing';
    },
    async durable(operation) {
      const done = await offsetOf(context, operation);
      return done === null ? null : { phase: 'receive', done };
    },
    async complete(operation) {
      const { targetId, targetName, poolId, ownerId, sizeBytes, sha256 } = input(operation);
      const { path } = pools.find(poolId);
      // No program uses the file before it is registered, so after a crash a second inspection finds the same.
      const known =
        scratchOf(context, operation.id).inspected ?? (await inspectForeign(join(path, targetName)));
      const made = { id: targetId, poolId, directory: path, name: targetName, ownerId, copiedFrom: null };
      // A given digest was compared before the file got its name.
      return registerImage(store, { ...made, ...known, dataBytes: sizeBytes, sha256 });
    },
    room: (operation) => roomOf(context, operation),
    clean: remove,
    async forget(operation) {
      context.scratch.delete(operation.id);
      await forget(await directory(operation), operation.id);
    },
    // Only its client has the bytes, so no state offers a retry.
    retry: () => Promise.reject(new ApiError('invalid_state')),
  };
}

async function roomOf(
  { images }: UploadsContext,
  operation: OperationView,
): Promise<{ needsBytes: number; freeBytes: number }> {
  const pool = await images.pools.use(operation.input.poolId);
  const own = await readReservation(images.store, pool, operation.id);
  const { freeBytes } = await measureRoom(images, pool, operation.id);
  return { needsBytes: Math.max(0, (own?.reservedBytes ?? 0) - (own?.writtenBytes ?? 0)), freeBytes };
}

/** The durable offset on the disk; null if there is no checkpoint. */
async function offsetOf({ images }: UploadsContext, operation: OperationView): Promise<number | null> {
  const { path } = await images.pools.use(operation.input.poolId);
  const checkpoint = await readCheckpoint(path, operation.id);
  return checkpoint === null ? null : Number(checkpoint.offset);
}

async function start(context: UploadsContext, operation: OperationView, hooks: StartHooks): Promise<Work> {
  const { poolId, targetName, sizeBytes } = operation.input as UploadInput;
  const { id } = operation;
  try {
    const { path: directory } = await context.images.pools.use(poolId);
    const file = await openFile({ directory, id, poolId, targetName, sizeBytes }, operation);
    const session = new UploadSession({
      input: operation.input as UploadInput,
      scratch: scratchOf(context, id),
      file,
      limit: context.syncLimit,
      hooks,
      finish: (open, progress) => finishUpload(context, open, { operation, directory, progress }),
    });
    context.sessions.set(id, session);
    const remove = (): boolean => context.sessions.get(id) === session && context.sessions.delete(id);
    session.done.then(remove, remove);
    return session;
  } catch (error) {
    throw toWorkFailure(error);
  }
}

/** Opens the partial; creates it only before the first phase, because lost bytes need a new upload by the client. */
async function openFile(target: Receiving, { record }: OperationView): Promise<ReceivedFile> {
  try {
    return await openReceived(target);
  } catch (error) {
    if (!(error instanceof CopyError)) throw error;
    if (error.code === 'not_found' && record.phaseIndex === -1) return createReceived(target);
    if (error.code !== 'not_found' && error.code !== 'source_changed') throw error;
    const message = 'The bytes received so far are missing or incomplete.';
    throw new ApiError('upload_gone', { message, cause: error });
  }
}
