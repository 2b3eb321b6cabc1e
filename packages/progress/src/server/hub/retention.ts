/** Remembers which operations ended when, and which of them the hub may forget. */
export interface Retention {
  ended(id: string, atMs: number): void;
  forget(id: string): void;
  /** Takes out what is old enough, or too much, oldest first. */
  due(nowMs: number): string[];
}

/** A page that loads ten minutes after the end still finds it; a margin for those that load just then. */
const retainMs = 11 * 60_000;
/** At most 2 KiB each: 20 MiB. */
const retainCount = 10_000;

export function createRetention(): Retention {
  // A Map keeps the order of insertion, which is the order of ends.
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
