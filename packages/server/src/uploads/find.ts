import { ApiError, isErrorCode } from '@wcc/api';
import { readCheckpoint } from '@wcc/copy/recovery';
import type { Snapshot } from '@wcc/progress';
import { isOperationId } from '@wcc/progress/protocol';
import type { Principal } from '../access/principal.ts';
import { can } from '../access/rules.ts';
import type { DrivenOperation } from '../operations/client-driven.ts';
import { readRow } from '../operations/rows.ts';
import type { UploadsContext } from './context.ts';
import { uploadAction } from './upload.ts';
import type { UploadInput } from './upload.ts';

/** An upload that a principal may access: the unfinished operation, or the last snapshot of an ended one. */
export type Found =
  | { live: DrivenOperation; input: UploadInput; ended: null }
  | { live: null; input: UploadInput; ended: Snapshot };

/** @throws ApiError `not_found`, also without the right, so that ids of other users stay secret */
export async function findUpload(
  { images }: UploadsContext,
  id: string,
  { principal, right }: { principal: Principal; right: 'upload.see' | 'upload.send' },
): Promise<Found> {
  const { operations, store } = images;
  if (!isOperationId(id)) throw new ApiError('not_found');
  const live = operations.clientDriven.find(uploadAction, id);
  if (live && can(principal, right, { owner: live.record.owner }))
    return { live, input: live.input as UploadInput, ended: null };
  const row = live === null ? await readRow(store, id) : null;
  const isUpload = row?.record.action === uploadAction && !('published' in row.input);
  if (row === null || !isUpload || !can(principal, right, { owner: row.record.owner }))
    throw new ApiError('not_found');
  const ended = await operations.snapshot(id);
  if (ended === undefined) throw new ApiError('not_found');
  return { live: null, input: row.input as UploadInput, ended };
}

/** Every byte below this offset is durable. */
export async function durableOffset(
  { images, sessions }: UploadsContext,
  { id, input }: DrivenOperation,
): Promise<number> {
  const session = sessions.get(id);
  if (session) return session.durableBytes;
  const { path } = await images.pools.use(input.poolId);
  return Number((await readCheckpoint(path, id))?.offset ?? 0);
}

/** Converts the end of an upload to an error: the same error that its last request received. */
export function errorOfEnd({ state, error }: Pick<Snapshot, 'state' | 'error'>): ApiError {
  if (state !== 'failed' || error === null || !isErrorCode(error.code)) {
    return new ApiError('upload_gone', { message: `The upload was ${state}.` });
  }
  const { code, message, hint } = error;
  return new ApiError(code, { message, hint });
}
