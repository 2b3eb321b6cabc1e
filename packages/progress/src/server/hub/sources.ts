import type { OperationRecord } from './record.ts';

/** The read functions of running operations. The hub calls them, so the work never calls the hub. */
export interface Sources {
  /** @returns a function that removes this source, but not a later one of the same operation */
  add(id: string, read: () => OperationRecord | null): () => void;
  stop(id: string): void;
  readAll(): void;
  size(): number;
  clear(): void;
}

export function createSources(
  take: (record: OperationRecord) => void,
  report: (error: unknown) => void,
): Sources {
  const reads = new Map<string, () => OperationRecord | null>();
  /** Sources that failed at the last read. The hub reports each failure once, not at every tick. */
  const failing = new Set<() => OperationRecord | null>();

  const readOne = (read: () => OperationRecord | null): void => {
    try {
      const record = read();
      if (record !== null) take(record);
      failing.delete(read);
    } catch (error) {
      if (!failing.has(read)) report(error);
      failing.add(read);
    }
  };

  const remove = (id: string): void => {
    const read = reads.get(id);
    if (read !== undefined) failing.delete(read);
    reads.delete(id);
  };

  return {
    add: (id, read) => {
      reads.set(id, read);
      return () => {
        if (reads.get(id) === read) remove(id);
      };
    },
    stop: remove,
    readAll: () => {
      for (const read of reads.values()) readOne(read);
    },
    size: () => reads.size,
    clear: () => {
      reads.clear();
      failing.clear();
    },
  };
}
