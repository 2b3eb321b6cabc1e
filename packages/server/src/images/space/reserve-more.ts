import type { ImagesContext } from '../context.ts';
import { measureFreeSpace, readReservation } from './free-space.ts';
import { noSpace } from './no-space.ts';

export interface ReserveRequest {
  pool: { id: string; path: string };
  /** Id of the operation. */
  id: string;
  /** Total bytes, including those written already. */
  bytes: number;
  /** Total bytes that each operation needs, by id. @default not recorded */
  wanted?: Map<string, number>;
}

/**
 * Raises the reservation of a running operation.
 * @throws ApiError `no_space`
 */
export async function reserveMore(
  context: ImagesContext,
  { pool, id, bytes, wanted }: ReserveRequest,
): Promise<void> {
  const { store } = context;
  const { fileSystemKey } = await measureFreeSpace(context, pool);
  await context.fileSystemMutex(fileSystemKey)(async () => {
    const own = await readReservation(store, pool, id);
    const needsBytes = Math.max(0, bytes - (own?.writtenBytes ?? 0));
    const { freeBytes } = await measureFreeSpace(context, pool, [id]);
    wanted?.set(id, bytes);
    if (needsBytes > freeBytes) throw noSpace(needsBytes, freeBytes);
    if (own !== null && own.reservedBytes >= bytes) return;
    const query = store.db.updateTable('spaceReservations').set({ bytes }).where('operationId', '=', id);
    await store.write([{ query }]);
  });
}
