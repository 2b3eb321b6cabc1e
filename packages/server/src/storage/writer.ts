import { ballastPath, releaseBallast } from './ballast.ts';
import type { Connection } from './connection-type.ts';
import { isDamage, sqliteCodeOf, StoreError, wantsSpace } from './errors.ts';
import type { BatchOutcome } from './group-commit.ts';
import { commitGroup } from './group-commit.ts';
import type { Batch } from './held-batches.ts';
import { createHeldBatches } from './held-batches.ts';
import type { StoreCondition } from './messages.ts';
import { freeBytesAt, hasNoSpace } from './space.ts';

/** Writes groups of batches, on a full disk as well. */
export interface Writer {
  write(batches: readonly Batch[]): BatchOutcome[];
  /** Notes an error of a read. */
  note(error: unknown): void;
  /** Called regularly: makes held batches durable when there is space, and looks whether a failure has passed. */
  settle(): void;
  /** Makes held batches durable if that is possible at all. @returns the number of batches that are lost */
  close(): number;
  readonly condition: StoreCondition;
}

/** Space for the index and the head of the log. */
const neededBytes = 2 * 1024 ** 2;

/** A full disk first takes the ballast. Without ballast, batches are held in memory until there is space. */
export function createWriter(connection: Connection, path: string): Writer {
  const ballast = ballastPath(path);
  let failure: StoreCondition['failure'] = null;
  let isDamaged = false;
  const note = (error: unknown): void => {
    isDamaged ||= isDamage(error);
  };
  const held = createHeldBatches(connection, { path, note });
  const hold = (batches: readonly Batch[]): BatchOutcome[] => {
    failure = null;
    return held.hold(batches);
  };
  function write(batches: readonly Batch[]): BatchOutcome[] {
    if (held.isHolding() && !held.commit()) return hold(batches);
    for (;;) {
      const outcomes = commitGroup(connection, batches);
      const error = groupError(outcomes);
      if (error !== null && isFull(error, path)) {
        if (releaseBallast(ballast)) continue;
        return hold(batches);
      }
      for (const outcome of outcomes) if ('error' in outcome) note(outcome.error);
      failure = failureOf(error);
      return outcomes;
    }
  }
  return {
    write,
    note,
    settle() {
      if (held.isHolding() && !held.commit()) return;
      if (failure !== null) failure = probe(connection);
      if (connection.isExclusive && (freeBytesAt(path) ?? 0) > neededBytes) connection.shareAgain();
    },
    close: () => (held.isHolding() && !held.commit({ isLast: true }) ? held.count() : 0),
    get condition() {
      return { heldBatches: held.count(), failure, isDamaged };
    },
  };
}

/** The error for which the whole group failed. */
function groupError(outcomes: readonly BatchOutcome[]): unknown {
  const [first] = outcomes;
  const error = first !== undefined && 'error' in first ? first.error : null;
  return outcomes.every((outcome) => 'error' in outcome && outcome.error === error) ? error : null;
}

function isFull(error: unknown, path: string): boolean {
  const answer = wantsSpace(error);
  return answer === 'perhaps' ? hasNoSpace(path) : answer;
}

/** Null for success, and for refusals by a constraint or a condition. */
function failureOf(error: unknown): string | null {
  const code = error instanceof StoreError ? null : sqliteCodeOf(error);
  return code === null || code.startsWith('SQLITE_CONSTRAINT') ? null : code;
}

/** A write that changes nothing, to see whether the disk takes writes again. */
function probe(connection: Connection): string | null {
  const [outcome] = commitGroup(connection, [
    [{ sql: 'update settings set value = value', parameters: [], expectRows: null }],
  ]);
  return outcome !== undefined && 'error' in outcome ? failureOf(outcome.error) : null;
}
