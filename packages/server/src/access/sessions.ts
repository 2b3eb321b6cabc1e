import type { OnError } from '@wcc/progress/server';
import type { RetentionClock } from '../storage/retention-clock.ts';
import type { Store, WriteStatement } from '../storage/store.ts';
import type { Principal } from './principal.ts';
import { createSecret, hashSecret } from './secrets.ts';

/** Maximum age of a session. */
export const sessionAbsoluteMs: number = 12 * 3_600_000;
/** Maximum time without use (docs/configuration.md says what counts as use). */
export const sessionIdleMs: number = 2 * 3_600_000;
/** Other services on the host can add cookies; more than these are not looked up. */
const maxCookies = 16;
/** Minimum time between two writes of `lastSeenAt`. */
const seenStepMs = 60_000;

/** A new session. It exists once its statement is written. */
export interface NewSession {
  /** For the cookie only. */
  secret: string;
  /** For the page that signs in only. */
  pageKey: string;
  key: string;
  expiresAtMs: number;
  statement: WriteStatement;
}

/**
 * What a request proves: one of the secrets that only pages of the console have names the session, and its cookie
 * confirms it. Other services on the host see the cookies and can add some, so no cookie names a session.
 */
export interface SessionProof {
  /** All cookies that could be the session's. */
  cookies: readonly string[];
  /** The page key, or the session that a ticket was issued to. */
  named: { pageKey: string } | { key: string };
}

/**
 * Sessions of browsers. A session is valid while its row exists, neither limit is reached, and its user is enabled
 * and has the version of the sign-in.
 */
export interface Sessions {
  /** Creates a session; its statement belongs in the batch of the sign-in. */
  prepare(user: { id: string; version: number }, address: string): NewSession;
  /** The principal of a session; null when it is unknown or ended, no cookie confirms it, or its user changed. */
  find(proof: SessionProof, address: string, options?: FindSessionOptions): Promise<Principal | null>;
  /** Whether one of the cookies belongs to a valid session, so that only the page key is missing. */
  isCookieOf(cookies: readonly string[]): Promise<boolean>;
  /** Which of these sessions have ended. */
  findEnded(keys: readonly string[]): Promise<string[]>;
  /** Ends a session; for the batch of the sign-out. */
  end(key: string): WriteStatement;
  /** Records the use of sessions by open connections. An ended session stays ended. */
  touch(keys: readonly string[]): Promise<void>;
  /** Removes ended sessions. */
  sweep(): Promise<void>;
}

export interface FindSessionOptions {
  /** False: the request does not count as use. @default true */
  isUse?: boolean;
}

export interface SessionsDeps {
  store: Store;
  /** Clock time in milliseconds. */
  now: () => number;
  retention: RetentionClock;
  onError: OnError;
}

export function createSessions(deps: SessionsDeps): Sessions {
  const { store } = deps;
  return {
    prepare: (user, address) => prepareSession(deps, user, address),
    find: (proof, address, { isUse = true } = {}) => findSession(deps, proof, { address, isUse }),
    isCookieOf: async (cookies) => {
      const keys = cookies.slice(0, maxCookies).map(hashSecret);
      return keys.length > 0 && (await findEnded(deps, keys)).length < keys.length;
    },
    findEnded: (keys) => findEnded(deps, keys),
    end: (key) => ({ query: store.db.deleteFrom('sessions').where('idHash', '=', key), expectRows: 1 }),
    touch: (keys) => touchSessions(deps, keys),
    sweep: () => sweepSessions(deps),
  };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

function prepareSession(
  { store, now }: SessionsDeps,
  user: { id: string; version: number },
  address: string,
): NewSession {
  const secret = createSecret();
  const pageKey = createSecret();
  const key = hashSecret(secret);
  const expiresAtMs = now() + sessionAbsoluteMs;
  const times = { createdAt: iso(now()), lastSeenAt: iso(now()), expiresAt: iso(expiresAtMs) };
  const hashes = { idHash: key, pageKeyHash: hashSecret(pageKey) };
  const row = { ...hashes, userId: user.id, version: user.version, address, ...times };
  return {
    secret,
    pageKey,
    key,
    expiresAtMs,
    statement: { query: store.db.insertInto('sessions').values(row) },
  };
}

/** The sessions that are valid now. */
function validSessions({ store, now }: SessionsDeps) {
  return store.db
    .selectFrom('sessions')
    .innerJoin('users', 'users.id', 'sessions.userId')
    .where('users.disabled', '=', 0)
    .whereRef('users.version', '=', 'sessions.version')
    .where('sessions.expiresAt', '>', iso(now()))
    .where('sessions.lastSeenAt', '>', iso(now() - sessionIdleMs));
}

async function findSession(
  deps: SessionsDeps,
  { cookies, named }: SessionProof,
  { address, isUse }: { address: string; isUse: boolean },
): Promise<Principal | null> {
  const { now, onError } = deps;
  if (cookies.length === 0) return null;
  const sessions = validSessions(deps)
    .select(['users.id', 'users.name', 'users.role', 'users.version'])
    .select(['sessions.idHash', 'sessions.expiresAt', 'sessions.lastSeenAt']);
  const row = await (
    'key' in named
      ? sessions.where('sessions.idHash', '=', named.key)
      : sessions.where('sessions.pageKeyHash', '=', hashSecret(named.pageKey))
  ).executeTakeFirst();
  // Both sides are hashes of 256 random bits, so the time of the comparison reveals nothing.
  if (!row || !cookies.some((cookie) => hashSecret(cookie) === row.idHash)) return null;
  const key = row.idHash;
  if (isUse && Date.parse(row.lastSeenAt) < now() - seenStepMs) {
    // Not awaited, so that a request does not wait for this fsync.
    touchSessions(deps, [key]).catch((error: unknown) => onError(error, { stage: 'session-touch' }));
  }
  return toPrincipal(row, { key, address });
}

async function findEnded(deps: SessionsDeps, keys: readonly string[]): Promise<string[]> {
  if (keys.length === 0) return [];
  const rows = await validSessions(deps)
    .select('sessions.idHash')
    .where('sessions.idHash', 'in', keys)
    .execute();
  const valid = new Set(rows.map(({ idHash }) => idHash));
  return keys.filter((key) => !valid.has(key));
}

async function touchSessions({ store, now }: SessionsDeps, keys: readonly string[]): Promise<void> {
  if (keys.length === 0) return;
  const update = store.db
    .updateTable('sessions')
    .set({ lastSeenAt: iso(now()) })
    .where('idHash', 'in', keys)
    .where('lastSeenAt', '>', iso(now() - sessionIdleMs));
  await store.write([{ query: update }]);
}

async function sweepSessions({ store, now, retention }: SessionsDeps): Promise<void> {
  // The wall clock alone removes nothing: a session that only a wrong clock has ended is valid again afterwards.
  const nowMs = Math.min(now(), retention.nowMs());
  const idleSince = iso(nowMs - sessionIdleMs);
  const over = store.db
    .deleteFrom('sessions')
    .where((row) => row.or([row('expiresAt', '<=', iso(nowMs)), row('lastSeenAt', '<=', idleSince)]));
  await store.write([{ query: over }]);
}

interface SessionRow {
  id: string;
  name: string;
  role: Principal['role'];
  version: number;
  expiresAt: string;
}

function toPrincipal(row: SessionRow, { key, address }: { key: string; address: string }): Principal {
  return {
    kind: 'session',
    userId: row.id,
    userName: row.name,
    role: row.role,
    sessionKey: key,
    sessionVersion: row.version,
    scope: 'write',
    limitedTo: null,
    lentBy: null,
    expiresAtMs: Date.parse(row.expiresAt),
    address,
    tokenName: null,
  };
}
