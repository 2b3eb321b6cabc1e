import { ApiError } from '@wcc/api';
import { formatBytes } from '@wcc/progress';
import type { Principal } from '../access/principal.ts';
import type { Pool } from '../images/pool/pools.ts';
import { assertRoom } from '../images/space/room.ts';
import type { DrivenOperation } from '../operations/client-driven.ts';
import type { UploadsContext } from './context.ts';
import { uploadAction } from './upload.ts';
import type { UploadInput } from './upload.ts';

interface NewUpload {
  principal: Principal;
  pool: Pool;
  sizeBytes: number;
  /** The unfinished upload that ends for this one. @default none */
  replaces: string | undefined;
}

/** @throws ApiError `quota_exceeded`; `no_space` if the pool has no room for the file, whatever the quota is */
export async function assertQuota(
  context: UploadsContext,
  { principal, pool, sizeBytes, replaces }: NewUpload,
): Promise<void> {
  const { images, settings } = context;
  const own = images.operations.clientDriven
    .all(uploadAction)
    .filter(({ input }) => (input as UploadInput).ownerId === principal.userId);
  const kept = own.filter(({ id }) => id !== replaces);
  if (kept.length >= settings.maxPerUser) {
    const message = `You have ${kept.length} unfinished uploads. The limit is ${settings.maxPerUser}.`;
    throw new ApiError('quota_exceeded', { message });
  }
  // An administrator can change the limit.
  if (principal.role === 'admin') return;
  const usedBytes = kept.reduce((sum, { input }) => sum + (input as UploadInput).sizeBytes, 0);
  const quotaBytes = await quotaOf(context, { pool, own, sizeBytes });
  if (usedBytes + sizeBytes <= quotaBytes) return;
  const figures = `${formatBytes(usedBytes)} of ${formatBytes(quotaBytes)} are used`;
  throw new ApiError('quota_exceeded', { message: `Needs ${formatBytes(sizeBytes)}; ${figures}.` });
}

async function quotaOf(
  { images, settings: { quota } }: UploadsContext,
  { pool, own, sizeBytes }: { pool: Pool; own: readonly DrivenOperation[]; sizeBytes: number },
): Promise<number> {
  if ('bytes' in quota) return quota.bytes;
  const roomBytes = await assertRoom(images, { pool, sizeBytes, without: own.map(({ id }) => id) });
  return Math.floor(roomBytes * quota.freeFraction);
}
