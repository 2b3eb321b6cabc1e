import type { SqlValue, WriteResult } from './messages.ts';

/** The calls that wcc needs from a SQLite library; `node:sqlite` could replace it. */
export interface Connection {
  /** Rows of a select, or of a `returning` clause with the number of changes. */
  run(sql: string, parameters: readonly SqlValue[]): WriteResult;
  /** Runs a statement without parameters and rows: transactions, pragmas, schema. */
  exec(sql: string): void;
  close(): void;
  /** False after SQLite rolled back (disk full, input/output error). */
  isInTransaction(): boolean;
  /** Other programs cannot open the database, because the index of its log is in memory. */
  readonly isExclusive: boolean;
  /** Ends the exclusive access. Needs space for the files of the log. */
  shareAgain(): void;
}
