import { freeSpace, partialPath } from '@wcc/copy';
import { lstat } from 'node:fs/promises';
import type { FreeSpaceFloor, Reservation } from './reservations.ts';
import { availableBytes, floorBytesOf, outstandingBytes } from './reservations.ts';
import type { Store } from '../../storage/store.ts';

/** The space of a pool. */
export interface PoolSpace {
  /** For a new operation: free bytes minus reservations minus the floor. */
  freeBytes: number;
  totalBytes: number;
  /** Reserved and not yet written. */
  reservedBytes: number;
  /** Bytes that must stay free; the copy engine checks it. */
  keepFreeBytes: number;
  fileSystem: string;
  /** Equal for all pools on one file system. */
  fileSystemKey: string;
}

export interface SpaceOptions {
  store: Store;
  floor: FreeSpaceFloor;
}

/**
 * Measures the space of a pool.
 * @param except id of an operation; its reservation does not count
 * @throws CopyError if the directory cannot be read
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

/** The bytes that an operation has reserved and written. */
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
    return 0; // not started, or just published: then its reservation ends soon
  }
}
