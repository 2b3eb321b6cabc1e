export interface NameQueueOptions {
  /** Events within this time are one look. @default 1000 */
  settleMs?: number;
  /** A clock that never jumps. @default the clock of the process */
  nowMs?: () => number;
}

/** Names that may have changed, each with the time of its next look. */
export interface NameQueue {
  add(name: string, event: 'rename' | 'change'): void;
  /** Looks again when the file is probably complete. */
  again(names: readonly string[]): void;
  /** Removes and returns the names whose time has come. */
  takeDue(): string[];
}

/** A file without an event for this time is probably complete. */
const quietMs = 5_000;
/** Interval of looks at a file that a program writes all the time. */
const writtenMs = 30_000;

/**
 * A new, renamed or removed file is due at once. So is a first write. A file that is written further is due when it is
 * quiet, or after `writtenMs`: a guest that writes all the time costs one look in that time.
 */
export function createNameQueue({
  settleMs = 1_000,
  nowMs = () => performance.now(),
}: NameQueueOptions = {}): NameQueue {
  const dueMs = new Map<string, number>();
  const seenMs = new Map<string, number>();
  /** Names that are due at once: later writes do not delay them. */
  const urgent = new Set<string>();
  return {
    add(name, event) {
      if (urgent.has(name)) return;
      const now = nowMs();
      const lastMs = seenMs.get(name);
      if (event === 'change' && lastMs !== undefined) {
        dueMs.set(name, Math.min(lastMs + writtenMs, now + quietMs));
        return;
      }
      urgent.add(name);
      dueMs.set(name, Math.min(dueMs.get(name) ?? Infinity, now + settleMs));
    },
    again(names) {
      for (const name of names) if (!dueMs.has(name)) dueMs.set(name, nowMs() + quietMs);
    },
    takeDue() {
      const now = nowMs();
      for (const [name, atMs] of seenMs) if (atMs + writtenMs < now) seenMs.delete(name);
      const due = [...dueMs].filter(([, atMs]) => atMs <= now).map(([name]) => name);
      for (const name of due) {
        dueMs.delete(name);
        urgent.delete(name);
        seenMs.set(name, now);
      }
      return due;
    },
  };
}
