import { ConfigError } from './config/errors.ts';
import type { ConfigErrorCode } from './config/errors.ts';
import { errnoOf } from './files/errors.ts';
import type { StoreErrorCode } from './storage/errors.ts';
import { StoreError } from './storage/errors.ts';
import { isSpaceErrno } from './storage/space.ts';

const storeCodes: Partial<Record<StoreErrorCode, ConfigErrorCode>> = {
  store_newer: 'database_unusable',
  store_foreign: 'database_unusable',
  store_full: 'data_dir_full',
  store_damaged: 'database_damaged',
  store_backup_failed: 'database_backup_failed',
};

const unwritable: ReadonlySet<string | null> = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EISDIR']);

/** The failure of a start as a code, a message and what to do. The cause keeps the stack. */
export function toStartError(error: unknown, { dataDir }: { dataDir: string }): ConfigError {
  if (error instanceof ConfigError) return error;
  if (error instanceof StoreError)
    return new ConfigError(storeCodes[error.code] ?? 'database_unopenable', error.message, error);
  const message = error instanceof Error ? error.message : String(error);
  if (isSpaceErrno(error)) return new ConfigError('data_dir_full', `The disk of ${dataDir} is full.`, error);
  const isUnwritable = unwritable.has(errnoOf(error));
  return new ConfigError(isUnwritable ? 'data_dir_unwritable' : 'start_failed', message, error);
}
