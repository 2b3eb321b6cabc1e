/** The space that an operation has reserved, and used so far. */
export interface Reservation {
  operationId: string;
  reservedBytes: number;
  /** Allocated bytes of its partial. */
  writtenBytes: number;
}

export interface FileSystemSpace {
  freeBytes: number;
  totalBytes: number;
}

/** Free space that is never used: the larger of both values. */
export interface FreeSpaceFloor {
  bytes: number;
  /** Fraction of the file system, 0 to 1. */
  fraction: number;
}

/** A full pool would pause the machines that run from it. */
export function floorBytesOf(floor: FreeSpaceFloor, totalBytes: number): number {
  return Math.max(floor.bytes, Math.ceil(totalBytes * floor.fraction));
}

/** Bytes that are reserved and not yet written; written bytes already reduce the free space. */
export function outstandingBytes(reservations: readonly Reservation[]): number {
  return reservations.reduce(
    (sum, { reservedBytes, writtenBytes }) => sum + Math.max(0, reservedBytes - writtenBytes),
    0,
  );
}

/** Space that a new operation can reserve; never negative. */
export function availableBytes(
  space: FileSystemSpace,
  { reservations, floor }: { reservations: readonly Reservation[]; floor: FreeSpaceFloor },
): number {
  const left = space.freeBytes - outstandingBytes(reservations) - floorBytesOf(floor, space.totalBytes);
  return Math.max(0, left);
}
