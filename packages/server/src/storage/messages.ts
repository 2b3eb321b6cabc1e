import type { StoreErrorCode } from './errors.ts';

/** The content of an audit row; the worker adds number, time and hashes. */
export interface AuditEntry {
  /** `<user>`, `<user> (token <name>)` or `admin-token`. A failed sign-in has the user's name, or `(unknown)`. */
  who: string;
  /** Client address. */
  address: string;
  /** e.g. `session.create`, `user.change`, `image.copy`. */
  what: string;
  /** e.g. `user:…`, `image:100`; null without a subject. */
  subject: string | null;
  /** `ok`, or the error code. */
  result: string;
}

/** A value that SQLite accepts. */
export type SqlValue = string | number | bigint | null | Uint8Array;

/** One statement of a batch, compiled. `audit` rows are completed and chained inside the worker. */
export type BatchStatement =
  { sql: string; parameters: readonly SqlValue[]; expectRows: number | null } | { audit: AuditEntry };

/** Main thread → worker. The worker answers every message except `close` with its `id`. */
export type StoreRequest =
  | { kind: 'read'; id: number; sql: string; parameters: readonly SqlValue[] }
  | { kind: 'write'; id: number; batch: readonly BatchStatement[] }
  /** Answered at once: says that the thread is alive. */
  | { kind: 'ping'; id: number }
  | { kind: 'close'; id: number };

/** The result of one statement of a batch. */
export interface WriteResult {
  changes: number;
  lastInsertRowid: number | bigint;
  /** Rows of a `returning` clause. */
  rows?: unknown[];
}

/** An error as data, because messages between threads have no classes. */
export interface WorkerFailure {
  code: StoreErrorCode;
  message: string;
  sqliteCode: string | null;
}

/** What the database can do now. */
export interface StoreCondition {
  /** Batches that are in memory only, because the disk is full. */
  heldBatches: number;
  /** SQLite's code of the last write, if it failed for another reason than its content; null after a success. */
  failure: string | null;
  /** SQLite found that the file is damaged. */
  isDamaged: boolean;
}

/** The condition until the thread reports another one. */
export const soundCondition: StoreCondition = { heldBatches: 0, failure: null, isDamaged: false };

/** What the thread does while it opens a database of an earlier version. */
export interface SchemaUpdate {
  from: number;
  to: number;
}

/** Worker → main thread. Id 0 is the result of opening the database; `updating` comes before it. */
export type StoreResponse =
  | { id: number; failure: WorkerFailure }
  | { id: number; rows?: unknown[]; results?: WriteResult[] }
  | { updating: SchemaUpdate }
  | { condition: StoreCondition }
  | { lostBatches: number };
