import { ApiError } from '@wcc/api';
import { repeat } from '../concurrency/repeat.ts';
import type { DrivenOperation } from '../operations/client-driven.ts';
import { scratchOf } from './context.ts';
import type { UploadsContext } from './context.ts';
import { durableOffset } from './find.ts';
import { releasePromises } from './promise.ts';
import { uploadAction } from './upload.ts';

const maxCheckIntervalMs = 60_000;

/**
 * Fails uploads that got no new bytes for the whole expiry time. Every answer announces the end of that time in
 * `Upload-Expires`.
 */
export async function expireUploads(context: UploadsContext): Promise<void> {
  const { images, settings, idleTimes } = context;
  const live = images.operations.clientDriven.all(uploadAction);
  await releasePromises(context, live);
  for (const upload of live) {
    const idleMs = await idleMsOf(context, upload);
    if (upload.work !== null || idleMs <= settings.expiryMs) continue;
    const message = 'The upload has expired: no client resumed it in time.';
    await images.operations.clientDriven.fail(upload.id, new ApiError('upload_gone', { message }));
  }
  await idleTimes.store(live.map(({ id }) => id));
}

interface KnownOffset {
  /** The durable offset of the upload. @default read from the disk */
  offsetBytes?: number;
}

/**
 * The time in which the client could have sent bytes and sent none. A paused upload and an upload in an unavailable pool
 * accept no bytes, so they do not expire.
 */
async function idleMsOf(
  context: UploadsContext,
  upload: DrivenOperation,
  { offsetBytes }: KnownOffset = {},
): Promise<number> {
  const { images, idleTimes } = context;
  const { id, record, input } = upload;
  if (record.state !== 'paused' && images.pools.isReady(input.poolId))
    return idleTimes.measure(id, offsetBytes ?? (await durableOffset(context, upload)));
  await idleTimes.restart(id);
  return 0;
}

/** tus, "Expiration". While bytes arrive, the time starts again with each answer. */
export async function expiresAtMs(
  context: UploadsContext,
  upload: DrivenOperation,
  known?: KnownOffset,
): Promise<number> {
  const { clock, settings } = context;
  const idleMs = await idleMsOf(context, upload, known);
  const expiresMs = Date.parse(clock.isoNow()) + settings.expiryMs - idleMs;
  const scratch = scratchOf(context, upload.id);
  // The two clocks differ by a millisecond, but the announced time must not change while nothing happens.
  if (scratch.announcedMs === null || Math.abs(scratch.announcedMs - expiresMs) > 1000)
    scratch.announcedMs = expiresMs;
  return scratch.announcedMs;
}

/** The header `Upload-Expires`: a date by RFC 9110. */
export async function expiresHeader(
  context: UploadsContext,
  upload: DrivenOperation,
  known?: KnownOffset,
): Promise<Record<string, string>> {
  return { 'upload-expires': new Date(await expiresAtMs(context, upload, known)).toUTCString() };
}

/** Checks for expired uploads regularly. @returns a function that stops it */
export function watchExpiry(context: UploadsContext): () => void {
  const { settings, images } = context;
  return repeat(() => expireUploads(context), {
    everyMs: Math.min(maxCheckIntervalMs, settings.expiryMs / 4),
    onError: (error) => images.onError(error, { stage: 'uploads: expiry' }),
  });
}
