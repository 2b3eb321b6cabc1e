import type { App } from '../app/app.ts';
import { createKeys } from '../ui/idempotency.ts';

/**
 * Returns a function that makes a sample image. After a lost answer the next call repeats the same request. After a
 * success the next call makes another image.
 */
export function createSampleMaker(): (app: App) => Promise<void> {
  let keyOf = createKeys();
  return async (app) => {
    const { operation } = await app.api.makeSampleImage({}, keyOf({}));
    keyOf = createKeys();
    app.signedIn?.operations.offer(operation);
  };
}
