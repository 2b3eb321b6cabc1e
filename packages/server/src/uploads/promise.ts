import type { OperationView } from '../operations/action.ts';
import type { DrivenOperation } from '../operations/client-driven.ts';
import { readReservation } from '../images/space/free-space.ts';
import { reserveMore } from '../images/space/reserve-more.ts';
import { scratchOf } from './context.ts';
import type { UploadsContext } from './context.ts';
import type { UploadInput } from './upload.ts';

/** How long an upload keeps the space of bytes that no client sends. */
const promiseMs = 10 * 60_000;

/**
 * Releases the space of uploads without a request for ten minutes: a promise that costs nothing must not keep other users
 * out. The upload stays, with its bytes and its name.
 */
export async function releasePromises(
  context: UploadsContext,
  uploads: readonly DrivenOperation[],
): Promise<void> {
  for (const upload of uploads) {
    if (isQuiet(context, upload)) await release(context, upload);
  }
}

function isQuiet(context: UploadsContext, { id, work }: DrivenOperation): boolean {
  const { quietSinceMs, isPromised } = scratchOf(context, id);
  return work === null && isPromised !== false && context.clock.monotonicMs() - quietSinceMs > promiseMs;
}

async function release(context: UploadsContext, upload: DrivenOperation): Promise<void> {
  const { store } = context.images;
  const { id } = upload;
  await context.promiseMutex(id)(async () => {
    // A request may have come in the meantime.
    if (!isQuiet(context, upload)) return;
    const query = store.db.updateTable('spaceReservations').set({ bytes: 0 }).where('operationId', '=', id);
    await store.write([{ query }]);
    scratchOf(context, id).isPromised = false;
  });
}

/**
 * Reserves the space of the missing bytes, unless it is still reserved.
 *
 * @throws ApiError `no_space`
 */
export async function promiseSpace(
  context: UploadsContext,
  { id, input }: OperationView<UploadInput>,
): Promise<void> {
  const { images, clock } = context;
  const scratch = scratchOf(context, id);
  await context.promiseMutex(id)(async () => {
    scratch.quietSinceMs = clock.monotonicMs();
    const pool = await images.pools.use(input.poolId);
    // A restart forgets whether the space was released.
    scratch.isPromised ??=
      ((await readReservation(images.store, pool, id))?.reservedBytes ?? 0) >= input.sizeBytes;
    if (scratch.isPromised) return;
    await reserveMore(images, { pool, id, bytes: input.sizeBytes });
    scratch.isPromised = true;
  });
}
