import type { App } from '../app/app.ts';
import { createKeys } from '../ui/idempotency.ts';

/**
 * Returns a function that makes a sample image. A call after a lost answer repeats the same request; the call
 * after a successful one makes another image.
 */
export function createSampleMaker(): (app: App) => Promise<void> {
  let keyOf = createKeys();
  return async (app) => {
    const { operation } = await app.api.makeSampleImage({}, keyOf({}));
    keyOf = createKeys();
    app.signedIn?.operations.offer(operation);
  };
}
