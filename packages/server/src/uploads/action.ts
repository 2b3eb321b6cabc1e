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
import { measureRoom, readReservation } from '../images/free-space.ts';
import type { Action, OperationView } from '../operations/action.ts';
import type { StartHooks, Work } from '../operations/work.ts';
import { memoryOf } from './context.ts';
import type { UploadsContext } from './context.ts';
import { finishUpload } from './finish.ts';
import { uploadAction } from './input.ts';
import type { UploadInput } from './input.ts';
import { inspectUpload } from './inspect.ts';
import { createSitting } from './upload-session.ts';

/** `upload_image`: its client drives it, by tus. */
export function createUploadAction(context: UploadsContext): Action {
  const { pools, store } = context.images;
  const input = (operation: OperationView): UploadInput => operation.input as UploadInput;
  const directory = async (operation: OperationView): Promise<string> =>
    (await pools.use(operation.input.poolId)).path;
  const remove = async (operation: OperationView): Promise<void> => {
    await removeRemains(await directory(operation), operation.id).catch((error: unknown) => {
      throw toWorkFailure(error);
    });
    context.memories.delete(operation.id);
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
      // Nobody can have used the file before it is registered: after a crash it says the same once more.
      const known =
        memoryOf(context, operation.id).inspected ??
        (await inspectUpload(join(path, targetName), { believed: null }));
      const made = { id: targetId, poolId, directory: path, name: targetName, ownerId, copiedFrom: null };
      // A digest that was given was compared before the file got its name.
      return registerImage(store, { ...made, ...known, dataBytes: sizeBytes, sha256 });
    },
    room: (operation) => roomOf(context, operation),
    clean: remove,
    async forget(operation) {
      context.memories.delete(operation.id);
      await forget(await directory(operation), operation.id);
    },
    // Nobody but its client has the bytes; no state offers it.
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

/** The durable offset as the disk has it; null when nothing is there. */
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
    const onPhase: StartHooks['onPhase'] = (event) => hooks.onPhase(event);
    onPhase({ phase: 'receive', unit: 'bytes', total: sizeBytes, notes: [`at ${file.offsetBytes} bytes`] });
    const sitting = createSitting({
      context,
      operation,
      file,
      finish: (open, signal) => finishUpload(context, open, { operation, directory, onPhase, signal }),
      onWarning: (code) => hooks.onWarning(code),
    });
    context.sittings.set(id, sitting);
    const leave = (): boolean => context.sittings.get(id) === sitting && context.sittings.delete(id);
    sitting.done.then(leave, leave);
    return sitting;
  } catch (error) {
    throw toWorkFailure(error);
  }
}

/** What an upload that has begun once has lost, it cannot make anew: only its client could, as a new upload. */
async function openFile(what: Receiving, { record }: OperationView): Promise<ReceivedFile> {
  try {
    return await openReceived(what);
  } catch (error) {
    if (!(error instanceof CopyError)) throw error;
    if (error.code === 'not_found' && record.phaseIndex === -1) return createReceived(what);
    if (error.code !== 'not_found' && error.code !== 'source_changed') throw error;
    const message = 'What was received is not there any more, or not whole.';
    throw new ApiError('upload_gone', { message, cause: error });
  }
}
