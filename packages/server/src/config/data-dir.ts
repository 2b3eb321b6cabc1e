import { constants } from 'node:fs';
import { access, mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileLock } from '@wcc/copy';
import { lockFile } from '@wcc/copy';
import type { PoolConfig } from './config.ts';
import { ConfigError } from './errors.ts';

/** Creates the data directory for this user only. @throws ConfigError `data_dir_unwritable` */
export async function prepareDataDir(dataDir: string): Promise<void> {
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    await access(dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new ConfigError(
      'data_dir_unwritable',
      `The server cannot write the data directory ${dataDir}.`,
      cause,
    );
  }
}

/**
 * Allows one wcc per data directory; the lock ends with the process. Null where file locks are not available.
 * @throws ConfigError `data_dir_in_use`
 */
export function lockDataDir(dataDir: string): FileLock | null {
  try {
    return lockFile(join(dataDir, 'wcc.lock'));
  } catch (cause) {
    const { code } = cause as { code?: unknown };
    if (code === 'unsupported') return null;
    if (code === 'locked') {
      throw new ConfigError('data_dir_in_use', `Another wcc uses the data directory ${dataDir}.`, cause);
    }
    throw new ConfigError('data_dir_unwritable', `The server cannot lock ${dataDir}.`, cause);
  }
}

/** An existing pool must be usable. A missing one (an unmounted disk) may appear later. */
export async function assertPoolUsable({ path }: PoolConfig): Promise<void> {
  const facts = await stat(path).catch(() => null);
  if (!facts) return;
  if (!facts.isDirectory()) throw new ConfigError('pool_unwritable', `The pool ${path} is not a directory.`);
  try {
    await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new ConfigError('pool_unwritable', `The server cannot write the pool ${path}.`, cause);
  }
}
