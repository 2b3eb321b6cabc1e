import { lacksInodes } from './action.ts';
import type { SpaceNeed } from './action.ts';

/** Space for metadata. */
const marginBytes = 1024 ** 2;
/** How much the free space must grow before an operation tries again that a disk refused without a visible reason. */
const growthBytes = 16 * 1024 ** 2;
/** Such a disk may get space that its file system does not show. */
const blindRetryMs = 60 * 60_000;

/** A disk that was full although its file system showed enough free space. */
export interface SpaceRefusal {
  /** The largest free space with which it was full. */
  freeBytes: number;
  /** Monotonic time of the last refusal. */
  atMs: number;
}

/**
 * Learns from a full disk. If the file system shows enough space, the need was too small, or the disk below is full: a thin
 * volume, metadata, a quota of a directory.
 */
export function learnRefusal(
  known: SpaceRefusal | null,
  { needsBytes, freeBytes }: SpaceNeed,
  nowMs: number,
): SpaceRefusal | null {
  if (needsBytes > freeBytes) return known;
  return { freeBytes: Math.max(freeBytes, known?.freeBytes ?? 0), atMs: nowMs };
}

/** The need, raised above every free space with which the disk was full. */
export function raiseNeed(space: SpaceNeed, refusal: SpaceRefusal | null): SpaceNeed {
  if (refusal === null) return space;
  return { ...space, needsBytes: Math.max(space.needsBytes, refusal.freeBytes + growthBytes) };
}

/** Whether an operation that waits for space should try again. */
export function hasRoom(space: SpaceNeed, refusal: SpaceRefusal | null, nowMs: number): boolean {
  if (lacksInodes(space)) return false;
  const isBlind = refusal !== null && nowMs - refusal.atMs > blindRetryMs;
  const { needsBytes, freeBytes } = isBlind ? space : raiseNeed(space, refusal);
  return freeBytes >= needsBytes + marginBytes;
}
