/** `code` → what it means. */
const messages = {
  store_conflict: 'Another change came first; nothing of this batch was written.',
  store_constraint: 'The database refused the change; nothing of this batch was written.',
  store_newer: 'The database was written by a newer version of wcc.',
  store_foreign: 'The file is not a database of wcc.',
  store_unopenable: 'The database cannot be opened.',
  store_failed: 'The database failed.',
  store_closed: 'The database is closed.',
  store_misuse: 'The database was used in a way that it does not allow.',
} as const;

export type StoreErrorCode = keyof typeof messages;

export interface StoreErrorOptions {
  message?: string;
  /** SQLite's extended code, e.g. `SQLITE_CONSTRAINT_UNIQUE`. */
  sqliteCode?: string | null;
  cause?: unknown;
}

/** Any failure of the database. */
export class StoreError extends Error {
  override readonly name: string = 'StoreError';
  readonly code: StoreErrorCode;
  readonly sqliteCode: string | null;

  constructor(code: StoreErrorCode, options: StoreErrorOptions = {}) {
    super(options.message ?? messages[code], options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.sqliteCode = options.sqliteCode ?? null;
  }
}

/** A statement changed another number of rows than expected, so a concurrent change was first. */
export class StoreConflict extends StoreError {
  override readonly name = 'StoreConflict';

  constructor(message?: string) {
    super('store_conflict', message === undefined ? {} : { message });
  }
}

/** True for a violated UNIQUE or PRIMARY KEY constraint. */
export function isUniqueViolation(error: unknown): boolean {
  return (
    error instanceof StoreError &&
    (error.sqliteCode === 'SQLITE_CONSTRAINT_UNIQUE' || error.sqliteCode === 'SQLITE_CONSTRAINT_PRIMARYKEY')
  );
}
