import { ApiError } from '@wcc/api';
import { CopyError, createReceived, openReceived, readCheckpoint } from '@wcc/copy';
import type { CopyErrorCode, ReceivedFile, Receiving } from '@wcc/copy';
import { inspectForeign } from '../images/foreign/inspect.ts';
import { publishingAction } from '../images/publish/publishing-action.ts';
import type { StartOptions } from '../images/publish/publishing-action.ts';
import type { Action, OperationView } from '../operations/action.ts';
import type { Work } from '../operations/work.ts';
import { scratchOf } from './context.ts';
import type { UploadsContext } from './context.ts';
import { finishUpload } from './finish.ts';
import { uploadAction } from './upload.ts';
import type { UploadInput } from './upload.ts';
import { UploadSession } from './upload-session.ts';

/** The action `upload_image`. Its client drives it by the tus protocol. */
export function createUploadAction(context: UploadsContext): Action<UploadInput> {
  return publishingAction<UploadInput>(context.images, {
    name: uploadAction,
    canPause: true,
    clientDriven: {
      isComplete: async (operation) => (await offsetOf(context, operation)) === operation.input.sizeBytes,
    },
    phases: () => ['receive', 'flush', 'inspect', 'publish'],
    start: (operation, options) => start(context, operation, options),
    async durableProgress(operation) {
      const done = await offsetOf(context, operation);
      return done === null ? null : { phase: 'receive', done };
    },
    async complete({ id, input: { sizeBytes, sha256 } }, { path }) {
      // No program uses the file before it is registered, so a second inspection after a crash has the same
      // result.
      const found = scratchOf(context, id).inspected ?? (await inspectForeign(path));
      // wcc compared a given digest with the file before the rename.
      return { ...found, copiedFrom: null, dataBytes: sizeBytes, sha256 };
    },
    release: ({ id }) => void context.scratch.delete(id),
    // Only the client has the bytes, so no state offers a retry.
    retry: () => Promise.reject(new ApiError('invalid_state')),
  });
}

/** The durable offset on the disk; null if there is no checkpoint. */
async function offsetOf(
  { images }: UploadsContext,
  operation: OperationView<UploadInput>,
): Promise<number | null> {
  const { path } = await images.pools.use(operation.input.poolId);
  const checkpoint = await readCheckpoint(path, operation.id);
  return checkpoint === null ? null : Number(checkpoint.offset);
}

async function start(
  context: UploadsContext,
  operation: OperationView<UploadInput>,
  { directory, hooks }: StartOptions,
): Promise<Work> {
  const { poolId, targetName, sizeBytes } = operation.input;
  const { id } = operation;
  const file = await openFile({ directory, id, poolId, targetName, sizeBytes }, operation);
  const session = new UploadSession({
    input: operation.input,
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
}

/** Messages for received bytes that cannot be used, by the error code of the copy engine. */
const lostMessages: Partial<Record<CopyErrorCode, string>> = {
  not_found: 'The bytes received so far are missing.',
  source_changed: 'The bytes received so far are missing or incomplete.',
  unsupported:
    'A newer version of wcc has received the bytes so far. This version cannot read its checkpoint.',
};

/** Opens the partial; creates it only before the first phase, because lost bytes need a new upload by the client. */
async function openFile(target: Receiving, { record }: OperationView): Promise<ReceivedFile> {
  try {
    return await openReceived(target);
  } catch (error) {
    if (!(error instanceof CopyError)) throw error;
    if (error.code === 'not_found' && record.phaseIndex === -1) return createReceived(target);
    const message = lostMessages[error.code];
    if (message === undefined) throw error;
    throw new ApiError('upload_gone', { message, cause: error });
  }
}
