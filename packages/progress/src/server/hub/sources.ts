import type { OperationRecord } from './record.ts';

/** The operations whose numbers the hub reads itself, so that no work ever calls out. */
export interface Pulls {
  /** @returns stops this one, not a later one of the same operation */
  add(id: string, read: () => OperationRecord | null): () => void;
  stop(id: string): void;
  readAll(): void;
  size(): number;
  clear(): void;
}

export function createPulls(
  take: (record: OperationRecord) => void,
  report: (error: unknown) => void,
): Pulls {
  const reads = new Map<string, () => OperationRecord | null>();
  /** Reads that failed last time: ten reports a second of one defect would hide the others. */
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
