import { freeSpace, partialPath } from '@wcc/copy';
import { lstat } from 'node:fs/promises';
import type { FreeSpaceFloor, Reservation } from './promises.ts';
import { availableBytes, floorBytesOf, outstandingBytes } from './promises.ts';
import type { Store } from '../../storage/store.ts';

/** The room in a pool at one moment. */
export interface PoolSpace {
  /** For a new operation: free, less what others were promised, less the floor. */
  freeBytes: number;
  totalBytes: number;
  /** Promised and not yet written. */
  reservedBytes: number;
  /** What has to stay free whatever runs: for the copy engine's own check. */
  keepFreeBytes: number;
  fileSystem: string;
  /** The same for all pools on one file system. */
  fileSystemKey: string;
}

export interface SpaceOptions {
  store: Store;
  floor: FreeSpaceFloor;
}

/**
 * Measures the room; `except` leaves one operation's own promise out of the count.
 * @throws CopyError when the directory cannot be looked at
 */
export async function measureFreeSpace(
  { store, floor }: SpaceOptions,
  pool: { id: string; path: string },
  except: string | null = null,
): Promise<PoolSpace> {
  const reservations = (await readReservations(store, pool)).filter(
    ({ operationId }) => operationId !== except,
  );
  const space = await freeSpace(pool.path);
  const reservedBytes = outstandingBytes(reservations);
  return {
    freeBytes: availableBytes(space, { reservations, floor }),
    totalBytes: space.totalBytes,
    reservedBytes,
    keepFreeBytes: floorBytesOf(floor, space.totalBytes) + reservedBytes,
    fileSystem: space.fsType,
    fileSystemKey: space.blockDevice,
  };
}

/** What an operation of this pool was promised and has written. */
export async function readReservation(
  store: Store,
  pool: { id: string; path: string },
  operationId: string,
): Promise<Reservation | null> {
  const all = await readReservations(store, pool);
  return all.find((reservation) => reservation.operationId === operationId) ?? null;
}

async function readReservations(store: Store, pool: { id: string; path: string }): Promise<Reservation[]> {
  const rows = await store.db
    .selectFrom('spaceReservations')
    .select(['operationId', 'bytes'])
    .where('poolId', '=', pool.id)
    .execute();
  return Promise.all(
    rows.map(async ({ operationId, bytes }) => ({
      operationId,
      reservedBytes: bytes,
      writtenBytes: await writtenBytes(partialPath(pool.path, operationId)),
    })),
  );
}

async function writtenBytes(path: string): Promise<number> {
  try {
    return (await lstat(path)).blocks * 512;
  } catch {
    return 0; // not begun, or just published: then its promise is about to end
  }
}
