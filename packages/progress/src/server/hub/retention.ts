/** Tracks when operations ended and which of them the hub may remove. */
export interface Retention {
  ended(id: string, atMs: number): void;
  forget(id: string): void;
  /** Returns and removes the ids that are too old or beyond the maximum count, oldest first. */
  due(nowMs: number): string[];
}

/** Options of {@link createRetention}. */
export interface RetentionOptions {
  /** @default 11 minutes */
  retainMs?: number;
}

/** Ended operations stay for ten minutes, with a margin of one minute for pages that are loading. */
const defaultRetainMs = 11 * 60_000;
/** Maximum number of ended operations; at 2 to 3 KiB each they take 30 MiB at most. */
const retainCount = 10_000;

export function createRetention({ retainMs = defaultRetainMs }: RetentionOptions = {}): Retention {
  // A Map keeps the order of insertion, which is the order in which operations ended.
  const ends = new Map<string, number>();
  return {
    ended: (id, atMs) => {
      if (!ends.has(id)) ends.set(id, atMs);
    },
    forget: (id) => void ends.delete(id),
    due: (nowMs) => {
      const ids: string[] = [];
      for (const [id, atMs] of ends) {
        if (nowMs - atMs < retainMs && ends.size <= retainCount) break;
        ends.delete(id);
        ids.push(id);
      }
      return ids;
    },
  };
}
