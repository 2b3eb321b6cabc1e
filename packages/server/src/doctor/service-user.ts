import { constants } from 'node:fs';
import { access, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from '../files/errors.ts';
import { findTool } from '../images/tools/find-tool.ts';
import type { ToolIdentity } from '../images/tools/spawn-tool.ts';
import { runTool } from '../images/tools/run-tool.ts';
import type { HostPlaces } from './places.ts';

/** The user for whom the checks are made. */
export interface ServiceUser {
  uid: number;
  /** Its name, or its number when it has none. */
  name: string;
  home: string | null;
  /** Null: the user of this process. Only root can act as another user. */
  identity: ToolIdentity | null;
  /** Whether its groups can be found by its name. */
  isNamed: boolean;
}

/** The user with this number; the user of this process unless root asks for another one. */
export async function describeUser(uid: number, { etc }: Pick<HostPlaces, 'etc'>): Promise<ServiceUser> {
  const entry = (await readAccounts(etc)).find((account) => account.uid === uid);
  const own = process.getuid?.() ?? 0;
  return {
    uid,
    name: entry?.name ?? String(uid),
    home: entry?.home ?? null,
    identity: own === 0 && uid !== 0 ? { uid, gid: entry?.gid ?? uid } : null,
    isNamed: entry !== undefined,
  };
}

/** The name of a user, or its number. */
export async function nameOf(uid: number, { etc }: Pick<HostPlaces, 'etc'>): Promise<string> {
  return (await readAccounts(etc)).find((account) => account.uid === uid)?.name ?? String(uid);
}

/** The user with this name; null if there is none. */
export async function findUser(name: string, places: Pick<HostPlaces, 'etc'>): Promise<ServiceUser | null> {
  const entry = (await readAccounts(places.etc)).find((account) => account.name === name);
  return entry === undefined ? null : describeUser(entry.uid, places);
}

interface Account {
  name: string;
  uid: number;
  gid: number;
  home: string;
}

async function readAccounts(etc: string): Promise<Account[]> {
  const text = await readFile(join(etc, 'passwd'), 'utf8').catch(() => '');
  return text.split('\n').flatMap((line) => {
    const [name = '', , uid = '', gid = '', , home = ''] = line.split(':');
    return name === '' || uid === '' ? [] : [{ name, uid: Number(uid), gid: Number(gid), home }];
  });
}

/** The user who owns the data directory is the one who runs the server. Root can check for that user. */
export async function findServiceUser(
  dataDir: string,
  { serverPid, places }: { serverPid: number | null; places: HostPlaces },
): Promise<ServiceUser> {
  const own = process.getuid?.() ?? 0;
  if (own !== 0) return describeUser(own, places);
  const known = serverPid === null || serverPid === 0 ? dataDir : join(places.proc, String(serverPid));
  const facts = await stat(known).catch(() => null);
  return describeUser(facts?.uid ?? own, places);
}

const letters: Readonly<Record<'r' | 'w' | 'x', number>> = {
  r: constants.R_OK,
  w: constants.W_OK,
  x: constants.X_OK,
};

/**
 * Whether the user may use a path. The kernel answers, so that access lists and mounts count.
 * @param modes some of `r`, `w`, `x`
 * @returns null, or the errno name of the refusal
 */
export async function refusalOf(
  user: ServiceUser,
  path: string,
  modes: readonly (keyof typeof letters)[],
): Promise<string | null> {
  let flags = 0;
  for (const mode of modes) flags |= letters[mode];
  try {
    await access(path, flags);
  } catch (error) {
    return errnoOf(error) ?? String(error);
  }
  if (user.identity === null || findTool('setpriv') === null) return null;
  const question = modes.flatMap((mode, at) => [...(at === 0 ? [] : ['-a']), `-${mode}`, path]);
  const args = [...identityArguments(user), '--', '/usr/bin/test', ...question];
  const { code } = await runTool({ tool: 'setpriv', args, limits: null });
  return code === 0 ? null : 'EACCES';
}

/** Arguments of `setpriv` that become the user, with its groups. */
export function identityArguments({ identity, isNamed, uid }: ServiceUser): string[] {
  if (identity === null) return [];
  const groups = isNamed ? '--init-groups' : '--clear-groups';
  return ['--reuid', String(uid), '--regid', String(identity.gid), groups];
}
