/** What an operation was promised, and what it has already taken of it. */
export interface Reservation {
  operationId: string;
  reservedBytes: number;
  /** Blocks in use of its partial file, in bytes. */
  writtenBytes: number;
}

export interface FileSystemSpace {
  freeBytes: number;
  totalBytes: number;
}

/** Both hold: the larger one of bytes and part of the file system wins. */
export interface FreeSpaceFloor {
  bytes: number;
  /** 0 to 1. */
  fraction: number;
}

/** Never filled beyond this: a full pool pauses the machines that run from it. */
export function floorBytesOf(floor: FreeSpaceFloor, totalBytes: number): number {
  return Math.max(floor.bytes, Math.ceil(totalBytes * floor.fraction));
}

/** Promised and not yet written: what was written is already missing from the free space. */
export function outstandingBytes(reservations: readonly Reservation[]): number {
  return reservations.reduce(
    (sum, { reservedBytes, writtenBytes }) => sum + Math.max(0, reservedBytes - writtenBytes),
    0,
  );
}

/** Space that a new operation may be promised; never negative. */
export function availableBytes(
  space: FileSystemSpace,
  { reservations, floor }: { reservations: readonly Reservation[]; floor: FreeSpaceFloor },
): number {
  const left = space.freeBytes - outstandingBytes(reservations) - floorBytesOf(floor, space.totalBytes);
  return Math.max(0, left);
}
