import { constants } from 'node:fs';
import { access, chmod, mkdir, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { lockFile } from '@wcc/copy';
import type { PoolConfig } from './config.ts';
import { ConfigError } from './errors.ts';

/** The data directory of a server that names none. */
export function defaultDataDir(environment: Readonly<Record<string, string | undefined>>): string {
  const state = environment['XDG_STATE_HOME'];
  // The XDG specification: ignore a relative path.
  return state?.startsWith('/')
    ? join(state, 'wcc')
    : join(environment['HOME'] ?? homedir(), '.local/state/wcc');
}

/**
 * Creates the data directory for this user only, and makes an existing one private.
 *
 * @throws ConfigError `data_dir_unwritable`
 */
export async function prepareDataDir(dataDir: string): Promise<void> {
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    await makePrivate(dataDir);
    await access(dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new ConfigError(
      'data_dir_unwritable',
      `The server cannot write the data directory ${dataDir}.`,
      cause,
    );
  }
}

/** Listing and writing for group and others. Traversal may be intended: QEMU of `qemu:///system` needs it. */
const publicBits = 0o066;
const stickyBit = 0o1000;

async function makePrivate(dataDir: string): Promise<void> {
  const { mode, uid } = await stat(dataDir);
  // Only its owner can change it. With the sticky bit it is a directory like /tmp, which others share.
  if (uid !== process.getuid?.() || (mode & stickyBit) !== 0 || (mode & publicBits) === 0) return;
  // Some file systems have no modes.
  await chmod(dataDir, mode & 0o7777 & ~publicBits).catch(() => {});
}

/**
 * Allows one wcc per data directory; the lock ends with the process. Null where file locks are not available.
 * @throws ConfigError `data_dir_in_use`
 */
export function lockDataDir(dataDir: string): ReturnType<typeof lockFile> | null {
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
