import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { CliError } from '../runtime/errors.ts';

/** The stored account of one server. */
export interface Account {
  token: string;
  /** Id for revoking the token at logout; null if the user supplied the token. */
  tokenId: string | null;
  userName: string;
  /** Keys that the server may have; absent if an authority vouches for it. Since 0.2.0. */
  pins?: readonly string[];
}

/** The content of `servers.json`. */
export interface Accounts {
  /** Origin of the server of the last sign-in. */
  current: string | null;
  servers: Record<string, Account>;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** `$XDG_CONFIG_HOME/wcc/servers.json`. A relative XDG_CONFIG_HOME is ignored, as its specification requires. */
export function accountsPath(env: Environment): string {
  const base = env['XDG_CONFIG_HOME'] ?? '';
  if (isAbsolute(base)) return join(base, 'wcc', 'servers.json');
  const home = env['HOME'] ?? '';
  if (home === '') throw new CliError('usage', 'Neither XDG_CONFIG_HOME nor HOME is set.');
  return join(home, '.config', 'wcc', 'servers.json');
}

/** Reads the stored accounts; none if the file does not exist. @throws CliError if it is damaged */
export async function readAccounts(env: Environment): Promise<Accounts> {
  const path = accountsPath(env);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return { current: null, servers: {} };
    throw cause;
  }
  const accounts = parse(text);
  if (accounts !== null) return accounts;
  throw new CliError('local_file', `${path} is damaged.`, { hint: 'Delete it, then sign in again.' });
}

function parse(text: string): Accounts | null {
  try {
    const value = JSON.parse(text) as Partial<Accounts> | null;
    if (typeof value?.servers !== 'object' || value.servers === null) return null;
    return { current: value.current ?? null, servers: value.servers };
  } catch {
    return null;
  }
}

/** Writes a new file and renames it, so a killed command leaves either the old file or the new one. */
export async function writeAccounts(env: Environment, accounts: Accounts): Promise<void> {
  const path = accountsPath(env);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const beside = `${path}.${process.pid}`;
  // Created with mode 600, so only this user can ever read the tokens.
  const file = await open(beside, 'w', 0o600);
  try {
    await file.writeFile(`${JSON.stringify(accounts, null, 2)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(beside, path);
}
