import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ApiError } from '@wcc/api';
import { auditStatement } from '../storage/audit.ts';
import { withBallast } from '../storage/ballast.ts';
import { StoreConflict } from '../storage/errors.ts';
import type { Store, WriteStatement } from '../storage/store.ts';
import { auditUserName } from './principal.ts';
import type { Passwords } from './passwords.ts';
import { createSecret, hashSecret } from './secrets.ts';
import type { NewSession, Sessions } from './sessions.ts';
import { toNameTaken } from './name-taken.ts';
import { newUserRow } from './users.ts';

/** File in the data directory with the link, if there is no terminal to print it on. */
export const linkFileName = 'initial-admin-link';

const validMs = 24 * 3_600_000;
const settingKey = 'firstSignIn';

/** The one-time link of the first administrator. Each start creates a new one until a link was used. */
export interface FirstSignIn {
  /** Replaces the secret with a new one; null when an administrator exists. */
  renew(): Promise<string | null>;
  writeLinkFile(link: string): Promise<string>;
  /** Creates the administrator and signs in. @throws ApiError `link_used`, `exists` */
  redeem(request: { secret: string; name: string; password: string }, address: string): Promise<SignedIn>;
  /** Invalidates the link; for the batch that creates an administrator in another way. */
  closeStatement(): WriteStatement;
  removeLinkFile(): Promise<void>;
}

/** The result of a sign-in, for cookie and answer. */
export interface SignedIn {
  session: NewSession;
  user: { id: string; name: string; role: 'admin' | 'operator' | 'viewer' };
}

export interface FirstSignInDeps {
  store: Store;
  passwords: Passwords;
  sessions: Sessions;
  dataDir: string;
  now: () => number;
}

/** Stores the hash and the expiry of the link in `settings`. A restart replaces it, its use deletes it. */
export function createFirstSignIn(deps: FirstSignInDeps): FirstSignIn {
  const { store, dataDir, now } = deps;
  const linkFile = join(dataDir, linkFileName);
  const closeStatement = (): WriteStatement => ({
    query: store.db.deleteFrom('settings').where('key', '=', settingKey),
  });
  const removeLinkFile = (): Promise<void> => rm(linkFile, { force: true });
  return {
    closeStatement,
    removeLinkFile,
    async renew() {
      await removeLinkFile();
      const admins = store.db.selectFrom('users').select('id').where('role', '=', 'admin').limit(1);
      if (await admins.executeTakeFirst()) return null;
      const secret = createSecret();
      const value = JSON.stringify({ hash: hashSecret(secret), expiresAtMs: now() + validMs });
      await store.write([
        closeStatement(),
        { query: store.db.insertInto('settings').values({ key: settingKey, value }) },
      ]);
      return secret;
    },
    async writeLinkFile(link) {
      await withBallast(dataDir, () => writeFile(linkFile, `${link}\n`, { mode: 0o600, flag: 'w' }));
      return linkFile;
    },
    async redeem(request, address) {
      const signedIn = await redeem(deps, request, address);
      await removeLinkFile();
      return signedIn;
    },
  };
}

async function redeem(
  deps: FirstSignInDeps,
  request: { secret: string; name: string; password: string },
  address: string,
): Promise<SignedIn> {
  const { store, sessions, passwords, now } = deps;
  const held = await store.db
    .selectFrom('settings')
    .select('value')
    .where('key', '=', settingKey)
    .executeTakeFirst();
  const link = held && (JSON.parse(held.value) as { hash: string; expiresAtMs: number });
  // Both sides are hashes of 256 random bits, so the time of the comparison reveals nothing.
  const refused = auditStatement({
    who: '(unknown)',
    address,
    what: 'first-sign-in',
    subject: null,
    result: 'link_used',
  });
  if (!held || link?.hash !== hashSecret(request.secret) || link.expiresAtMs <= now()) {
    await store.write([refused]);
    throw new ApiError('link_used');
  }
  const { name, password } = request;
  const row = await newUserRow({ name, password, role: 'admin' }, passwords);
  const user = { id: row.id, name, role: 'admin' as const };
  const session = sessions.prepare({ id: row.id, version: 1 }, address);
  const use = store.db.deleteFrom('settings').where('key', '=', settingKey).where('value', '=', held.value);
  try {
    await store.write([
      { query: use, expectRows: 1 },
      { query: store.db.insertInto('users').values(row) },
      session.statement,
      auditStatement({
        who: auditUserName(name),
        address,
        what: 'first-sign-in',
        subject: `user:${row.id}`,
        result: 'ok',
      }),
    ]);
  } catch (error) {
    if (error instanceof StoreConflict) throw new ApiError('link_used', { cause: error });
    throw toNameTaken(error);
  }
  return { session, user };
}
