/** `code` → what it means. */
const messages = {
  store_conflict: 'Another change came first; nothing of this batch was written.',
  store_constraint: 'The database refused the change; nothing of this batch was written.',
  store_newer: 'The database was written by a newer version of wcc.',
  store_foreign: 'The file is not a database of wcc.',
  store_unopenable: 'The database cannot be opened.',
  store_failed: 'The database failed.',
  store_full: 'The disk of the database is full.',
  store_damaged: 'The database is damaged.',
  store_backup_failed: 'The database cannot be backed up before its upgrade.',
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

/** The columns of a violated UNIQUE constraint, as SQLite names them, e.g. `users.name`; null for any other error. */
export function uniqueColumnsOf(error: unknown): string | null {
  if (!(error instanceof StoreError)) return null;
  return /^UNIQUE constraint failed: (.+)$/.exec(error.message)?.[1] ?? null;
}

/** SQLite's codes for a full disk. It reports a quota, and some file systems a full disk, as `SQLITE_IOERR_…`. */
const fullCodes: ReadonlySet<string> = new Set(['SQLITE_FULL', 'SQLITE_IOERR_SHMSIZE']);

/** Whether SQLite failed for want of space: yes, no, or `perhaps`, if only a try can tell. */
export function wantsSpace(error: unknown): boolean | 'perhaps' {
  const code = sqliteCodeOf(error);
  if (code === null) return false;
  return fullCodes.has(code) || (code.startsWith('SQLITE_IOERR') && 'perhaps');
}

/** True if SQLite found that the file is not a sound database. */
export function isDamage(error: unknown): boolean {
  const code = sqliteCodeOf(error);
  return code !== null && (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB');
}

/** SQLite's extended code of an error of the library or of the store. */
export function sqliteCodeOf(error: unknown): string | null {
  const { code, sqliteCode } = (error ?? {}) as { code?: unknown; sqliteCode?: unknown };
  const found = typeof sqliteCode === 'string' ? sqliteCode : code;
  return typeof found === 'string' && found.startsWith('SQLITE_') ? found : null;
}
