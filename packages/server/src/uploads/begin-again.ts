import type { UploadMetadata } from '@wcc/api';
import type { Principal } from '../access/principal.ts';
import type { Pool } from '../images/pool/pools.ts';
import { assertRoom } from '../images/space/room.ts';
import type { DrivenOperation } from '../operations/client-driven.ts';
import type { UploadsContext } from './context.ts';
import { cancelUpload } from './terminate.ts';
import { uploadAction } from './upload.ts';
import type { UploadInput } from './upload.ts';

/** A creation whose name an unfinished upload of the same owner holds. */
export interface Beginning {
  principal: Principal;
  pool: Pool;
  sizeBytes: number;
  metadata: UploadMetadata;
}

/**
 * An unfinished upload that its own client begins again, because it lost the answer to its creation or forgot the
 * address. It is found again only if the digest of the whole file proves its bytes. Otherwise it ends, unless a client
 * sends for it now, and the new upload begins at offset 0: two files are never joined.
 *
 * @returns null: there is none, or its name stays taken
 */
export function findEarlier(context: UploadsContext, beginning: Beginning): DrivenOperation | null {
  const all = context.images.operations.clientDriven.all(uploadAction);
  return all.find((upload) => isEarlier(upload, beginning) && isQuiet(context, upload)) ?? null;
}

function isEarlier({ record, input }: DrivenOperation, { principal, pool, metadata }: Beginning): boolean {
  const { targetName } = input as UploadInput;
  const isOwn = record.owner === principal.userId;
  return isOwn && input.poolId === pool.id && targetName === metadata.filename;
}

/** A session is open while a client sends, and for some seconds after its last request. */
function isQuiet({ sessions }: UploadsContext, { id, record }: DrivenOperation): boolean {
  const isWaiting = record.state === 'interrupted' || record.state === 'queued';
  return isWaiting && !sessions.has(id);
}

export function isSameFile({ input }: DrivenOperation, { sizeBytes, metadata }: Beginning): boolean {
  const earlier = input as UploadInput;
  const isProven = metadata.sha256 !== undefined && earlier.sha256 === metadata.sha256;
  return isProven && earlier.sizeBytes === sizeBytes && earlier.format === (metadata.format ?? null);
}

/**
 * Ends an earlier upload. Checks the space for the new one first, because a refusal must not cost bytes.
 *
 * @returns false if a client sends for the earlier upload now
 * @throws ApiError `no_space`
 */
export async function replaceEarlier(
  context: UploadsContext,
  { principal, pool, sizeBytes }: Beginning,
  earlier: DrivenOperation,
): Promise<boolean> {
  await assertRoom(context.images, { pool, sizeBytes, without: [earlier.id] });
  if (!isQuiet(context, earlier)) return false;
  await cancelUpload(context, earlier.id, principal);
  return true;
}
