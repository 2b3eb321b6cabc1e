import { ApiError } from '@wcc/api';
import type { TusRequest } from './headers.ts';
import type { Sitting } from './upload-session.ts';

/** A connection that brings nothing for so long is dead: anybody who may send takes over. */
const deadAfterMs = 10_000;
/** The same session asks again: its own first connection is lost, though nobody has told us yet. */
const sameClientAfterMs = 2_000;

/**
 * One writer per upload. A second request waits for one that is leaving, takes over from one that is dead, and
 * is refused while another one sends.
 *
 * @throws ApiError `upload_locked`
 */
export async function makeWay(sitting: Sitting | undefined, { principal }: TusRequest): Promise<void> {
  const sender = sitting?.sender ?? null;
  if (sitting === undefined || sender === null) return;
  const isSame = sender.principal.sessionKey === principal.sessionKey;
  if (!mayTakeOver({ isLeaving: sender.isLeaving, silentForMs: sender.silentForMs(), isSame })) {
    const message = 'Another request is sending bytes of this upload just now.';
    throw new ApiError('upload_locked', { message, retryAfterS: 2 });
  }
  sender.stop('taken_over');
  await sitting.quiet();
}

/** Whether somebody who asks may have the place of who sends. `isSame`: it is the same session. */
export function mayTakeOver(sender: { isLeaving: boolean; silentForMs: number; isSame: boolean }): boolean {
  const patienceMs = sender.isSame ? sameClientAfterMs : deadAfterMs;
  return sender.isLeaving || sender.silentForMs >= patienceMs;
}
