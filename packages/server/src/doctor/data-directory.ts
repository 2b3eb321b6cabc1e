import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf, hasErrorCode } from '../files/errors.ts';
import type { Finding } from './finding.ts';
import { finding, reasonOf } from './finding.ts';
import type { Host } from './host.ts';
import { nameOf, refusalOf } from './service-user.ts';

const othersMayListOrWrite = 0o066;
const othersMayAnything = 0o077;

/** The files that only the user of the server may have. */
const privateFiles = [
  'wcc.sqlite',
  'wcc.sqlite-wal',
  'wcc.sqlite-shm',
  'secrets.key',
  'wcc.lock',
  'wcc.ballast',
];

export async function checkServer({ serverPid, user }: Host): Promise<Finding> {
  if (serverPid === null) return finding('server_stopped', { user: user.name });
  return finding('server_running', { pid: serverPid, user: user.name });
}

export async function checkDataDirectory({ settings, user }: Host): Promise<Finding> {
  const path = settings.dataDir;
  const place = { path, user: user.name };
  try {
    const facts = await stat(path);
    if (!facts.isDirectory()) return finding('data_directory_wrong', place);
    const reason = await refusalOf(user, path, ['r', 'w', 'x']);
    if (reason !== null) return finding('data_directory_unwritable', { ...place, reason });
    if ((facts.mode & othersMayListOrWrite) !== 0)
      return finding('data_directory_public', { ...place, mode: showMode(facts.mode) });
    return finding('data_directory_private', place);
  } catch (error) {
    return missingOr(error, { path, user: user.name, missing: 'data_directory_missing' });
  }
}

export async function checkDataFiles({ settings, user, places }: Host): Promise<Finding> {
  let count = 0;
  for (const name of privateFiles) {
    const file = join(settings.dataDir, name);
    const facts = await stat(file).catch((error: unknown) => {
      if (hasErrorCode(error, 'ENOENT')) return null;
      throw error;
    });
    if (facts === null) continue;
    count += 1;
    if (facts.uid !== user.uid) {
      const owner = await nameOf(facts.uid, places);
      return finding('data_file_foreign', { file, owner, user: user.name });
    }
    if ((facts.mode & othersMayAnything) !== 0)
      return finding('data_file_public', { file, mode: showMode(facts.mode) });
  }
  return count === 0 ? finding('data_files_missing') : finding('data_files_private', { user: user.name });
}

export function showMode(mode: number): string {
  return (mode & 0o7777).toString(8);
}

/** A place that does not exist, or that this user cannot see. */
export function missingOr(
  error: unknown,
  { path, user, missing }: { path: string; user: string; missing: Finding['code'] },
): Finding {
  if (hasErrorCode(error, 'ENOENT')) return finding(missing, { path });
  if (errnoOf(error) === null) throw error;
  return finding('place_unreadable', { path, user, reason: reasonOf(error) });
}
