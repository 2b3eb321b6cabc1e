import { ApiError } from '@wcc/api';
import { CopyError } from '@wcc/copy';
import { create as createPartial, open as openPartial } from '@wcc/copy/receive';
import { readCheckpoint } from '@wcc/copy/recovery';
import type { CopyErrorCode } from '@wcc/copy';
import type { PartialFile, ReceiveTarget } from '@wcc/copy/receive';
import { createHeadJudge } from '../images/foreign/head-judge.ts';
import type { HeadJudge } from '../images/foreign/head-judge.ts';
import { inspectForeign } from '../images/foreign/inspect.ts';
import { publishingAction } from '../images/publish/publishing-action.ts';
import type { StartOptions } from '../images/publish/publishing-action.ts';
import type { Action, OperationView } from '../operations/action.ts';
import type { Work } from '../operations/work.ts';
import { scratchOf } from './context.ts';
import type { UploadsContext } from './context.ts';
import { finishUpload } from './finish.ts';
import { promiseSpace } from './promise.ts';
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
    async start(operation, options) {
      await promiseSpace(context, operation);
      return start(context, operation, options);
    },
    totalBytes: ({ input }) => input.sizeBytes,
    async durableProgress(operation) {
      const done = await offsetOf(context, operation);
      return done === null ? null : { phase: 'receive', done };
    },
    async complete({ id, input: { sizeBytes, sha256, format, targetName: name } }, { path }) {
      // No program uses the file before it is registered, so a second inspection after a crash has the same
      // result.
      const found =
        scratchOf(context, id).inspected ??
        (await inspectForeign(path, { believed: format ?? undefined, name }));
      // wcc compared a given digest with the file before the rename.
      return { ...found, copiedFrom: null, dataBytes: sizeBytes, sha256, declared: format };
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
  const target = { directory, id, tag: poolId, targetName, sizeBytes };
  const file = await openFile(target, operation).catch(async (error: unknown) => {
    // Bytes are lost only if the pool is still there.
    await context.images.pools.use(poolId);
    throw error;
  });
  const session = new UploadSession({
    input: operation.input,
    scratch: scratchOf(context, id),
    head: headJudgeOf(context, operation.input),
    file,
    limit: context.syncLimit,
    hooks,
    finish: (open, progress) => finishUpload(context, open, { operation, directory, progress }),
  });
  context.sessions.set(id, session);
  const remove = (): void => {
    if (context.sessions.get(id) === session) context.sessions.delete(id);
    // The client is idle from now on. If this fails, its time starts with the next check.
    context.idleTimes.measure(id, session.durableBytes).catch(() => {});
    scratchOf(context, id).quietSinceMs = context.clock.monotonicMs();
  };
  session.done.then(remove, remove);
  return session;
}

function headJudgeOf({ images }: UploadsContext, { sizeBytes, format }: UploadInput): HeadJudge {
  const { maxVirtualSizeBytes } = images;
  return createHeadJudge({ sizeBytes, declared: format ?? undefined, maxVirtualSizeBytes });
}

/** Messages for received bytes that cannot be used, by the error code of the copy engine. */
const lostMessages: Partial<Record<CopyErrorCode, string>> = {
  not_found: 'The bytes received so far are missing.',
  source_changed: 'The bytes received so far are missing or incomplete.',
  unsupported:
    'A newer version of wcc has received the bytes so far. This version cannot read its checkpoint.',
};

/** Opens the partial; creates it only before the first phase, because lost bytes need a new upload by the client. */
async function openFile(target: ReceiveTarget, { record }: OperationView): Promise<PartialFile> {
  try {
    return await openPartial(target);
  } catch (error) {
    if (!(error instanceof CopyError)) throw error;
    if (error.code === 'not_found' && record.phaseIndex === -1) return createPartial(target);
    const message = lostMessages[error.code];
    if (message === undefined) throw error;
    throw new ApiError('upload_gone', { message, cause: error });
  }
}
