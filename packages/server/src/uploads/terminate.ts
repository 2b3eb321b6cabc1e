import { ApiError } from '@wcc/api';
import { isTerminal } from '@wcc/progress';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Principal } from '../access/principal.ts';
import type { UploadsContext } from './context.ts';
import { findUpload } from './find.ts';
import type { TusAnswer, TusRequest } from './headers.ts';

/** Cancelling must free the space within 5 s: 100 checks, one every 50 ms. */
const attempts = 100;
const checkMs = 50;

/** tus, "Termination": cancels the operation and removes the upload's files. */
export async function terminateUpload(
  context: UploadsContext,
  id: string,
  request: TusRequest,
): Promise<TusAnswer> {
  const { principal } = request;
  const { live } = await findUpload(context, id, { principal, right: 'upload.send' });
  // For all future requests to this URL, the Server SHOULD respond with 404 or 410.
  if (live === null) throw new ApiError('upload_gone');
  await cancelUpload(context, id, principal);
  // The Server MUST respond with 204 when it succeeded.
  return { status: 204, headers: {} };
}

/** Cancels an upload and waits until its files are gone. @throws ApiError `invalid_state`, `upload_locked` */
export async function cancelUpload(
  { images: { operations } }: UploadsContext,
  id: string,
  principal: Principal,
): Promise<void> {
  await operations.cancel(id, principal);
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const { state } = await operations.clientDriven.whenSettled(id);
    if (state === 'succeeded') {
      throw new ApiError('invalid_state', { message: 'The upload was complete before it was cancelled.' });
    }
    if (isTerminal(state)) return;
    await sleep(checkMs);
  }
  throw new ApiError('upload_locked', { message: 'The upload is still being cancelled.', retryAfterS: 5 });
}
