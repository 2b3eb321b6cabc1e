import type { Connection } from './connection-type.ts';
import { StoreError } from './errors.ts';
import type { BatchOutcome } from './group-commit.ts';
import { runBatch } from './group-commit.ts';
import type { BatchStatement } from './messages.ts';
import { freeBytesAt } from './space.ts';

export type Batch = readonly BatchStatement[];

/**
 * Batches in one open transaction, whose pages stay in memory: readers see them, and they become durable when there is
 * space. So rights end and files are deleted on a disk without a free byte.
 */
export interface HeldBatches {
  isHolding(): boolean;
  count(): number;
  hold(batches: readonly Batch[]): BatchOutcome[];
  /**
   * Makes them durable.
   *
   * @param options.isLast tries it without a look at the free space, and does not hold them again. @default false
   * @returns false while there is no space
   */
  commit(options?: { isLast: boolean }): boolean;
}

const maxBytes = 16 * 1024 ** 2;
/** Space for the index and the head of the log. */
const marginBytes = 1024 ** 2;

interface Held {
  batch: Batch;
  bytes: number;
}

export function createHeldBatches(
  connection: Connection,
  { path, note }: { path: string; note: (error: unknown) => void },
): HeldBatches {
  let held: Held[] = [];
  const heldBytes = (): number => held.reduce((sum, { bytes }) => sum + bytes, 0);
  function holdOne(batch: Batch): BatchOutcome {
    const bytes = sizeOf(batch);
    if (heldBytes() + bytes > maxBytes) return { error: new StoreError('store_full') };
    try {
      const outcome = runBatch(connection, batch);
      if ('results' in outcome) held.push({ batch, bytes });
      return outcome;
    } catch (error) {
      const { cause = error } = error as { cause?: unknown };
      note(cause);
      begin(connection, held);
      return { error: cause };
    }
  }
  return {
    isHolding: () => held.length > 0 || connection.isInTransaction(),
    count: () => held.length,
    hold(batches) {
      begin(connection, held);
      return batches.map(holdOne);
    },
    commit({ isLast } = { isLast: false }) {
      const free = freeBytesAt(path);
      if (free !== null && free < marginBytes + 4 * heldBytes() && !isLast) return false;
      try {
        if (connection.isInTransaction()) connection.exec('commit');
        held = [];
        return true;
      } catch (error) {
        note(error);
        // SQLite rolled the transaction back.
        if (!isLast) begin(connection, held);
        return false;
      }
    },
  };
}

/** Opens the transaction, and repeats the batches that SQLite rolled back. */
function begin(connection: Connection, held: readonly Held[]): void {
  if (connection.isInTransaction()) return;
  // Neither changed pages nor the journal of a savepoint may go to the disk.
  connection.exec('pragma cache_spill = off');
  connection.exec('pragma temp_store = memory');
  connection.exec('begin immediate');
  for (const { batch } of held) runBatch(connection, batch);
}

function sizeOf(batch: Batch): number {
  let bytes = 0;
  for (const statement of batch) {
    bytes += 256;
    if ('audit' in statement) continue;
    for (const value of statement.parameters) {
      if (typeof value === 'string') bytes += 2 * value.length;
      else if (value instanceof Uint8Array) bytes += value.length;
    }
  }
  return bytes;
}
