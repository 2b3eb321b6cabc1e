import type { Snapshot } from '@wcc/progress';
import { isTerminal } from '@wcc/progress';
import { ApiProblem } from '@wcc/api/client';
import { formatBytes } from '@wcc/progress';
import type { Context } from '../runtime/context.ts';
import { CliError, endError } from '../runtime/errors.ts';
import type { OperationFollower } from '../follow/operation-follower.ts';
import { isRetryable, RetryDeadline } from '../server/retry-deadline.ts';
import type { Server } from '../server/server.ts';
import { findUnfinished, listUnfinished } from './find-unfinished.ts';
import type { LocalFile } from './local-file.ts';
import { sendPatch } from './send-patch.ts';
import type { UploadTarget } from './tus.ts';
import { fetchOffset, createUpload, removeUpload } from './tus.ts';

/** What to upload, and how. */
export interface UploadOptions {
  file: LocalFile;
  target: UploadTarget;
  json: boolean;
  giveUpAfterMs: number;
  bytesPerSecond: number | null;
  /** Discard an unfinished upload of this name. */
  restart: boolean;
}

/**
 * Uploads a file until the server has published it. Resumes an unfinished upload and continues after every
 * interruption. Shows the bytes that the server has stored durably.
 *
 * @throws CliError if the upload cannot complete, or on Ctrl-C
 */
export async function upload(context: Context, server: Server, options: UploadOptions): Promise<Snapshot> {
  const { file } = options;
  const { id, resumedAt } = await findOrCreate(server, options);
  const operation = await server.api.operation(id);
  const { OperationFollower: Follower } = await import('../follow/operation-follower.ts');
  const follower = new Follower(context, server, { ...options, operation });
  if (resumedAt !== null)
    follower.output?.print(`Resuming at ${formatBytes(resumedAt)} of ${formatBytes(file.sizeBytes)}`);
  const over = new AbortController();
  const signal = AbortSignal.any([over.signal, context.interrupt]);
  const report = (text: string): void => follower.output?.print(text);
  const sending = sendAll(server, { id, options, signal, follower, report });
  sending.catch(() => undefined);
  try {
    // The end of the operation decides, because the server may have all bytes although its last answer was lost.
    const ended = sending.then(() => {
      context.interrupt.throwIfAborted();
      return follower.end;
    });
    const end = await Promise.race([follower.end, ended]);
    if (end.state !== 'succeeded') throw endError(end);
    return end;
  } catch (error) {
    throw context.interrupt.aborted ? stoppedError(context, id) : error;
  } finally {
    over.abort();
    follower.stop();
    await sending.catch(() => undefined);
  }
}

async function findOrCreate(
  server: Server,
  { file, target, restart }: UploadOptions,
): Promise<{ id: string; resumedAt: number | null }> {
  if (restart) await discard(server, target);
  else {
    const unfinished = await findUnfinished(server, file, target);
    if (unfinished !== null) return { id: unfinished.id, resumedAt: unfinished.offsetBytes };
  }
  return { id: await createUpload(server, file, target), resumedAt: null };
}

async function discard(server: Server, target: UploadTarget): Promise<void> {
  for (const { id } of await listUnfinished(server, target)) await removeUpload(server, id);
}

interface Sending {
  id: string;
  options: UploadOptions;
  signal: AbortSignal;
  follower: OperationFollower;
  report: (text: string) => void;
}

async function sendAll(server: Server, { id, options, signal, follower, report }: Sending): Promise<void> {
  const { file, bytesPerSecond } = options;
  const deadline = new RetryDeadline(options.giveUpAfterMs, {
    hint: 'The data on the server is safe. Run the same command again to resume.',
    report,
  });
  follower.onSnapshot((snapshot) => deadline.progressed(durableOf(snapshot)));
  for (;;) {
    try {
      await file.assertUnchanged();
      const offsetBytes = await fetchOffset(server, id, signal);
      deadline.progressed(offsetBytes);
      const reached = await sendPatch(server, { id, file, offsetBytes, bytesPerSecond, signal });
      if (reached === file.sizeBytes) return;
    } catch (error) {
      if (signal.aborted || isTerminal(follower.latest.state)) return;
      // The operation knows the reason: cancelled, rejected after inspection, or completed.
      if (error instanceof ApiProblem && (error.status === 404 || error.status === 410))
        return await assertOperationEnded(server, id);
      if (!isRetryable(error)) throw await explainRefusal(server, id, error);
      if (follower.latest.state === 'paused') deadline.reset();
      await deadline.wait(error, signal).catch((reason: unknown) => {
        if (!signal.aborted) throw reason;
      });
    }
  }
}

/** The durable bytes in the snapshot, during the receive phase. */
function durableOf({ phases, phaseIndex }: Snapshot): number {
  const phase = phases[phaseIndex];
  return phase !== undefined && 'durable' in phase && phase.name === 'receive' ? phase.durable : 0;
}

/** Returns if the operation of a missing upload has ended or is cancelling. @throws CliError otherwise */
async function assertOperationEnded(server: Server, id: string): Promise<void> {
  const { state } = await server.api.operation(id);
  // While cancelling the server accepts no bytes and frees the space.
  if (isTerminal(state) || state === 'cancelling') return;
  throw new CliError('not_found', 'The server no longer knows this upload.', {
    hint: 'Upload the file again.',
  });
}

/** The error of the ended operation, which says more than the refusal; otherwise the refusal. */
async function explainRefusal(server: Server, id: string, error: unknown): Promise<unknown> {
  if (!(error instanceof ApiProblem)) return error;
  const operation = await server.api.operation(id).catch(() => null);
  return operation !== null && operation.state !== 'succeeded' && isTerminal(operation.state)
    ? endError(operation)
    : error;
}

function stoppedError({ interrupt }: Context, id: string): CliError {
  const reason: unknown = interrupt.reason;
  const exit = reason instanceof CliError ? reason.exit : 'interrupted';
  return new CliError(exit, 'Stopped. The data on the server is safe.', {
    hint: `Run the same command again to resume, or discard the upload: wcc op cancel ${id}`,
  });
}
