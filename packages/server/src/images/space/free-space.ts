import { freeSpace } from '@wcc/copy';
import { partialPath } from '@wcc/copy/receive';
import { lstat } from 'node:fs/promises';
import type { FreeSpaceFloor, Reservation } from './reservations.ts';
import { availableBytes, floorBytesOf, outstandingBytes } from './reservations.ts';
import type { Store } from '../../storage/store.ts';

/** The space of a pool. */
export interface PoolSpace {
  /** For a new operation: free bytes minus reservations minus the floor. */
  freeBytes: number;
  totalBytes: number;
  /** Files that can still be created; null: the file system has no limit. */
  freeInodes: number | null;
  /** Reserved and not yet written. */
  reservedBytes: number;
  /** Bytes that must stay free; the copy engine checks it. */
  keepFreeBytes: number;
  fileSystem: string;
  /** Equal for all pools on one file system. */
  fileSystemKey: string;
  /** Written by the operations that do not count. */
  exceptWrittenBytes: number;
}

export interface SpaceOptions {
  store: Store;
  floor: FreeSpaceFloor;
}

/**
 * Measures the space of a pool.
 * @param except ids of operations; their reservations do not count
 * @throws CopyError if the directory cannot be read
 */
export async function measureFreeSpace(
  { store, floor }: SpaceOptions,
  pool: { id: string; path: string },
  except: readonly string[] = [],
): Promise<PoolSpace> {
  const all = await readReservations(store, pool);
  const isExcepted = ({ operationId }: Reservation): boolean => except.includes(operationId);
  const reservations = all.filter((reservation) => !isExcepted(reservation));
  const space = await freeSpace(pool.path);
  const reservedBytes = outstandingBytes(reservations);
  return {
    freeBytes: availableBytes(space, { reservations, floor }),
    totalBytes: space.totalBytes,
    freeInodes: space.freeInodes,
    reservedBytes,
    keepFreeBytes: floorBytesOf(floor, space.totalBytes) + reservedBytes,
    fileSystem: space.fsType,
    fileSystemKey: space.blockDevice,
    exceptWrittenBytes: all.filter(isExcepted).reduce((sum, { writtenBytes }) => sum + writtenBytes, 0),
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
  const reservations: Reservation[] = [];
  // One after the other: if the disk hangs, each call keeps a thread.
  for (const { operationId, bytes } of rows) {
    const path = partialPath(pool.path, operationId);
    reservations.push({ operationId, reservedBytes: bytes, writtenBytes: await writtenBytes(path) });
  }
  return reservations;
}

async function writtenBytes(path: string): Promise<number> {
  try {
    return (await lstat(path)).blocks * 512;
  } catch {
    return 0; // not started, or just published: then its reservation ends soon
  }
}
