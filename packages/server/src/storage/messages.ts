import type { StoreErrorCode } from './errors.ts';

/** What one audit row tells; the worker adds number, time and hashes. */
export interface AuditEntry {
  /** User name, `token:<name>` or `admin-token`; for a refused sign-in the name that was tried. */
  who: string;
  /** Client address. */
  address: string;
  /** e.g. `session.create`, `user.change`, `image.copy`. */
  what: string;
  /** e.g. `user:…`, `image:100`; null when there is none. */
  subject: string | null;
  /** `ok`, or the error code. */
  result: string;
}

/** A value as SQLite takes it. */
export type SqlValue = string | number | bigint | null | Uint8Array;

/** One statement of a batch, compiled. `audit` rows are completed and chained inside the worker. */
export type BatchStatement =
  { sql: string; parameters: readonly SqlValue[]; expectRows: number | null } | { audit: AuditEntry };

/** Main thread → worker. Every message but `close` is answered under its `id`. */
export type StoreRequest =
  | { kind: 'read'; id: number; sql: string; parameters: readonly SqlValue[] }
  | { kind: 'write'; id: number; batch: readonly BatchStatement[] }
  | { kind: 'close'; id: number };

/** What one statement of a batch did. */
export interface WriteResult {
  changes: number;
  lastInsertRowid: number | bigint;
  /** Rows of a `returning` clause. */
  rows?: unknown[];
}

/** An error as data: classes do not travel between threads. */
export interface WorkerFailure {
  code: StoreErrorCode;
  message: string;
  sqliteCode: string | null;
}

/** Worker → main thread. The first one has id 0: opened, or why not. */
export type StoreResponse =
  { id: number; failure: WorkerFailure } | { id: number; rows?: unknown[]; results?: WriteResult[] };
