import { ApiError } from '@wcc/api';
import type { TusRequest } from './headers.ts';
import type { UploadSession } from './upload-session.ts';

/** A sender that is silent for longer counts as dead: any client with the right to send can take over. */
const deadAfterMs = 10_000;
/** Limit for a request of the sender's own session, because its earlier connection is probably lost. */
const sameSessionDeadAfterMs = 2_000;

/**
 * Locks an upload for one sender. A request waits for a sender that is draining and takes over from a dead
 * sender. While another sender is active, the request is refused.
 *
 * @throws ApiError `upload_locked`
 */
export async function acquireLock(
  session: UploadSession | undefined,
  { principal }: TusRequest,
): Promise<void> {
  const sender = session?.sender ?? null;
  if (session === undefined || sender === null) return;
  const isSameSession = sender.principal.sessionKey === principal.sessionKey;
  if (!canTakeOver({ isDraining: sender.isDraining, silentForMs: sender.silentForMs(), isSameSession })) {
    const message = 'Another request is sending bytes of this upload.';
    throw new ApiError('upload_locked', { message, retryAfterS: 2 });
  }
  sender.stop('taken_over');
  await session.drained();
}

/** Whether a request may take the lock of the current sender. */
export function canTakeOver(sender: {
  isDraining: boolean;
  silentForMs: number;
  /** The request and the sender have the same session. */
  isSameSession: boolean;
}): boolean {
  const maxSilenceMs = sender.isSameSession ? sameSessionDeadAfterMs : deadAfterMs;
  return sender.isDraining || sender.silentForMs >= maxSilenceMs;
}
