import { measureFreeSpace } from './free-space.ts';
import type { SpaceOptions } from './free-space.ts';
import { noSpace } from './no-space.ts';

export interface RoomRequest {
  pool: { id: string; path: string };
  sizeBytes: number;
  /** Ids of operations. The result counts their space as free. */
  without: readonly string[];
}

/**
 * Measures the room for a file.
 * @returns the bytes that a file may have if these operations end
 * @throws ApiError `no_space` if the file is larger
 */
export async function assertRoom(
  options: SpaceOptions,
  { pool, sizeBytes, without }: RoomRequest,
): Promise<number> {
  const { freeBytes, exceptWrittenBytes } = await measureFreeSpace(options, pool, without);
  const roomBytes = freeBytes + exceptWrittenBytes;
  if (sizeBytes > roomBytes) throw noSpace(sizeBytes, roomBytes);
  return roomBytes;
}
