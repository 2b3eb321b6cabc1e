import { ApiError } from '@wcc/api';
import type { UploadsContext } from './context.ts';
import { expiresAtMs } from './find.ts';
import { uploadAction } from './upload.ts';

const maxCheckIntervalMs = 60_000;

/**
 * Fails uploads that got no new bytes before their expiry time. Every answer announces that time in
 * `Upload-Expires`.
 */
export async function expireUploads(context: UploadsContext): Promise<void> {
  const { images, clock } = context;
  for (const live of images.operations.clientDriven.all(uploadAction)) {
    if (live.work !== null || !images.pools.isReady(live.input.poolId)) continue;
    if ((await expiresAtMs(context, live)) > Date.parse(clock.isoNow())) continue;
    const message = 'The upload has expired: no client resumed it in time.';
    await images.operations.clientDriven.fail(live.id, new ApiError('upload_gone', { message }));
  }
}

/** Checks for expired uploads regularly. @returns a function that stops it */
export function watchExpiry(context: UploadsContext): () => void {
  const { settings, images } = context;
  const timer = setInterval(
    () => {
      expireUploads(context).catch((error: unknown) => images.onError(error, { stage: 'uploads: expiry' }));
    },
    Math.min(maxCheckIntervalMs, settings.expiryMs / 4),
  ).unref();
  return () => clearInterval(timer);
}
