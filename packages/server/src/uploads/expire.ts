import { ApiError } from '@wcc/api';
import type { UploadsContext } from './context.ts';
import { expiresAtMs } from './find.ts';
import { uploadAction } from './input.ts';

const longestLookMs = 60_000;

/** Ends what nobody went on with. It was told beforehand, with every answer. */
export async function expireUploads(context: UploadsContext): Promise<void> {
  const { images, clock } = context;
  for (const live of images.operations.driving.all(uploadAction)) {
    if (live.work !== null || !images.pools.isReady(live.input.poolId)) continue;
    if ((await expiresAtMs(context, live)) > Date.parse(clock.isoNow())) continue;
    const message = 'Nobody went on with this upload in time: it has expired.';
    await images.operations.driving.fail(live.id, new ApiError('upload_gone', { message }));
  }
}

/** Looks from time to time. @returns stops it */
export function watchExpiry(context: UploadsContext): () => void {
  const { settings, images } = context;
  const timer = setInterval(
    () => {
      expireUploads(context).catch((error: unknown) => images.onError(error, { stage: 'uploads: expiry' }));
    },
    Math.min(longestLookMs, settings.expiryMs / 4),
  ).unref();
  return () => clearInterval(timer);
}
