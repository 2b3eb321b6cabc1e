import { ApiError } from '@wcc/api';
import type { Selectable } from 'kysely';
import { networkOf } from '../config/address-range.ts';
import { auditStatement } from '../storage/audit.ts';
import type { UsersTable } from '../storage/schema.ts';
import type { Store } from '../storage/store.ts';
import { createAttempts } from './attempts.ts';
import type { Refusal } from './attempts.ts';
import type { SignedIn } from './first-sign-in.ts';
import type { Passwords } from './passwords.ts';
import { auditUserName } from './principal.ts';
import type { Sessions } from './sessions.ts';

export interface SignInDeps {
  store: Store;
  sessions: Sessions;
  passwords: Passwords;
}

/**
 * Signs in with name and password. Null for a wrong name or password: both outcomes are audited and cost the same.
 * @throws ApiError `rate_limited`, `sign_in_busy`
 */
export type SignIn = (
  request: { name: string; password: string },
  address: string,
) => Promise<SignedIn | null>;

/** Guesses a minute at one name from one network. */
const perNetwork = 15;
/** Guesses a minute at one name from all networks from which its user has not signed in before. */
const perName = 60;
/** The oldest is forgotten first. */
const maxKnown = 10_000;

/**
 * Counts only attempts that reach the hash. Guesses from one network do not lock a name for other networks. Guesses
 * from many networks lock it, but never for the networks from which its user signed in: they are the way out.
 */
export function createSignIn(deps: SignInDeps): SignIn {
  const now = (): number => performance.now();
  const limits = {
    byNetwork: createAttempts({ max: perNetwork, now }),
    byName: createAttempts({ max: perName, now }),
  };
  const known = new Set<string>();
  return async ({ name, password }, address) => {
    const user = await findUser(deps.store, name);
    const who = { user, address };
    const nameKey = user?.id ?? name;
    const key = JSON.stringify([nameKey, networkOf(address)]);
    const isKnown = known.has(key) || (await hasSession(deps.store, who));
    const refusal = limits.byNetwork.take(key) ?? (isKnown ? null : limits.byName.take(nameKey));
    if (refusal !== null) throw await refuse(deps, who, refusal);
    const isRight = await deps.passwords.verify(user?.passwordHash ?? null, password, { isKnown });
    if (user === undefined || !isRight || user.disabled === 1) {
      await deps.store.write([auditStatement({ ...entryOf(who), result: 'wrong_credentials' })]);
      return null;
    }
    limits.byNetwork.forget(key);
    remember(known, key);
    const session = deps.sessions.prepare(user, address);
    await deps.store.write([session.statement, auditStatement({ ...entryOf(who), result: 'ok' })]);
    return { session, user: { id: user.id, name: user.name, role: user.role } };
  };
}

function remember(known: Set<string>, key: string): void {
  known.delete(key);
  known.add(key);
  const [oldest] = known;
  if (known.size > maxKnown && oldest !== undefined) known.delete(oldest);
}

type UserRow = Selectable<UsersTable>;

interface Who {
  user: UserRow | undefined;
  address: string;
}

function findUser({ db }: Store, name: string): Promise<UserRow | undefined> {
  return db.selectFrom('users').selectAll().where('name', '=', name).executeTakeFirst();
}

/** Whether the user has a session from the network of this address; it survives a restart of wcc. */
async function hasSession({ db }: Store, { user, address }: Who): Promise<boolean> {
  if (user === undefined) return false;
  const rows = await db.selectFrom('sessions').select('address').where('userId', '=', user.id).execute();
  return rows.some((row) => networkOf(row.address) === networkOf(address));
}

/** The first refusal of a minute is audited, so that a lock-out leaves a row and a flood does not leave many. */
async function refuse({ store }: SignInDeps, who: Who, { isFirst, retryAfterS }: Refusal): Promise<ApiError> {
  if (isFirst) await store.write([auditStatement({ ...entryOf(who), result: 'rate_limited' })]);
  return new ApiError('rate_limited', { retryAfterS });
}

/** The row of a client network that sent too many sign-ins, for any names. */
export async function recordSignInLimit(store: Store, address: string): Promise<void> {
  await store.write([auditStatement({ ...entryOf({ user: undefined, address }), result: 'rate_limited' })]);
}

function entryOf({ user, address }: Who): {
  who: string;
  address: string;
  what: string;
  subject: string | null;
} {
  // Unknown names are not recorded, because people type passwords into the wrong field.
  const who = user === undefined ? '(unknown)' : auditUserName(user.name);
  return { who, address, what: 'session.create', subject: user === undefined ? null : `user:${user.id}` };
}
