import type { Snapshot } from '@wcc/progress';
import { isTerminal } from '@wcc/progress';
import { ApiProblem } from '@wcc/api/client';
import { formatBytes } from '@wcc/progress';
import type { Context } from '../runtime/context.ts';
import { CliError, endOf } from '../runtime/errors.ts';
import { Following } from '../follow/operation-follower.ts';
import { passes, Patience } from '../server/retry-deadline.ts';
import type { Server } from '../server/server.ts';
import { findUnfinished } from './find-unfinished.ts';
import type { LocalFile } from './local-file.ts';
import { sendFrom } from './send-patch.ts';
import type { UploadTarget } from './tus.ts';
import { askOffset, createUpload, removeUpload } from './tus.ts';

export interface UploadOptions {
  file: LocalFile;
  target: UploadTarget;
  json: boolean;
  giveUpAfterMs: number;
  bytesPerSecond: number | null;
  /** Throw away what was sent before under this name. */
  restart: boolean;
}

/**
 * Sends a file until the server has published it: finds what was begun, sends the rest, and comes back after
 * every interruption. What is shown is what the server has safely.
 *
 * @throws CliError when it cannot end well, or at Ctrl-C
 */
export async function upload(context: Context, server: Server, options: UploadOptions): Promise<Snapshot> {
  const { file } = options;
  const { id, resumedAt } = await begin(server, options);
  const operation = await server.api.operation(id);
  const following = new Following(context, server, { ...options, operation });
  if (resumedAt !== null)
    following.show?.say(`Going on at ${formatBytes(resumedAt)} of ${formatBytes(file.sizeBytes)}`);
  const over = new AbortController();
  const signal = AbortSignal.any([over.signal, context.interrupt]);
  const sending = sendAll(server, { id, options, signal, following });
  sending.catch(() => undefined);
  try {
    // The server's word counts: it may have everything although its last answer was lost.
    const ended = sending.then(() => {
      context.interrupt.throwIfAborted();
      return following.end;
    });
    const end = await Promise.race([following.end, ended]);
    if (end.state !== 'succeeded') throw endOf(end);
    return end;
  } catch (error) {
    throw context.interrupt.aborted ? stopped(context, id) : error;
  } finally {
    over.abort();
    following.stop();
    await sending.catch(() => undefined);
  }
}

async function begin(
  server: Server,
  { file, target, restart }: UploadOptions,
): Promise<{ id: string; resumedAt: number | null }> {
  if (restart) await discard(server, target);
  else {
    const begun = await findUnfinished(server, file, target);
    if (begun !== null) return { id: begun.id, resumedAt: begun.offsetBytes };
  }
  return { id: await createUpload(server, file, target), resumedAt: null };
}

async function discard(server: Server, { name, pool }: UploadTarget): Promise<void> {
  const { items } = await server.api.uploads();
  const same = items.filter((item) => item.name === name && (pool === undefined || item.pool === pool));
  for (const { id } of same) await removeUpload(server, id);
}

interface Sending {
  id: string;
  options: UploadOptions;
  signal: AbortSignal;
  following: Following;
}

async function sendAll(server: Server, { id, options, signal, following }: Sending): Promise<void> {
  const { file, bytesPerSecond } = options;
  const patience = new Patience(
    options.giveUpAfterMs,
    'What the server has is safe. Give the same command again to go on.',
  );
  following.onSnapshot((snapshot) => patience.moved(durableOf(snapshot)));
  for (;;) {
    try {
      await file.assertUnchanged();
      const offsetBytes = await askOffset(server, id, signal);
      patience.moved(offsetBytes);
      const reached = await sendFrom(server, { id, file, offsetBytes, bytesPerSecond, signal });
      if (reached === file.sizeBytes) return;
    } catch (error) {
      if (signal.aborted || isTerminal(following.latest.state)) return;
      // Its operation tells why: cancelled by somebody, refused after a look at it, or done.
      if (error instanceof ApiProblem && (error.status === 404 || error.status === 410))
        return await gone(server, id);
      if (!passes(error)) throw await reasonOf(server, id, error);
      if (following.latest.state === 'paused') patience.rest();
      await patience.wait(error, signal).catch((reason: unknown) => {
        if (!signal.aborted) throw reason;
      });
    }
  }
}

/** How much is safe, by the record; the phases after the bytes have numbers of their own. */
function durableOf({ phases, phaseIndex }: Snapshot): number {
  const phase = phases[phaseIndex];
  return phase !== undefined && 'durable' in phase && phase.name === 'receive' ? phase.durable : 0;
}

/** The record of an upload that is over is there: its end will be told. @throws when there is none */
async function gone(server: Server, id: string): Promise<void> {
  const { state } = await server.api.operation(id);
  // Cancelled by somebody: no byte is taken any more, and its space is being freed.
  if (isTerminal(state) || state === 'cancelling') return;
  throw new CliError('not_found', 'The server does not know this upload any more.', {
    hint: 'Send the file again.',
  });
}

/** A refusal may be the end of the operation, whose record says more. */
async function reasonOf(server: Server, id: string, error: unknown): Promise<unknown> {
  if (!(error instanceof ApiProblem)) return error;
  const operation = await server.api.operation(id).catch(() => null);
  return operation !== null && operation.state !== 'succeeded' && isTerminal(operation.state)
    ? endOf(operation)
    : error;
}

function stopped({ interrupt }: Context, id: string): CliError {
  const reason: unknown = interrupt.reason;
  const exit = reason instanceof CliError ? reason.exit : 'interrupted';
  return new CliError(exit, 'Stopped. What the server has is safe.', {
    hint: `Give the same command again to go on, or throw it away: wcc op cancel ${id}`,
  });
}
