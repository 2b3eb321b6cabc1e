import type { OnError } from '@wcc/progress/server';
import type { Store, WriteStatement } from '../storage/store.ts';
import type { Principal } from './principal.ts';
import { createSecret, hashSecret } from './secrets.ts';

/** Maximum age of a session. */
export const sessionAbsoluteMs: number = 12 * 3_600_000;
/** Maximum time without use; an open socket counts as use. */
export const sessionIdleMs: number = 2 * 3_600_000;
/** Minimum time between two writes of `lastSeenAt`. */
const seenStepMs = 60_000;

/** A new session. It exists once its statement is written. */
export interface NewSession {
  /** For the cookie only. */
  secret: string;
  key: string;
  expiresAtMs: number;
  statement: WriteStatement;
}

/**
 * Sessions of browsers. A session is valid while its row exists, neither limit is reached, and its user is enabled
 * and has the version of the sign-in.
 */
export interface Sessions {
  /** Creates a session; its statement belongs in the batch of the sign-in. */
  prepare(user: { id: string; version: number }, address: string): NewSession;
  /** The principal of a cookie; null when the session is unknown or ended, or its user changed. */
  find(secret: string, address: string): Promise<Principal | null>;
  /** Ends a session; for the batch of the sign-out. */
  end(key: string): WriteStatement;
  /** Records the use of sessions with open sockets. */
  touch(keys: readonly string[]): Promise<void>;
  /** Removes ended sessions. */
  sweep(): Promise<void>;
}

export interface SessionsDeps {
  store: Store;
  /** Clock time in milliseconds. */
  now: () => number;
  onError: OnError;
}

export function createSessions(deps: SessionsDeps): Sessions {
  const { store } = deps;
  return {
    prepare: (user, address) => prepareSession(deps, user, address),
    find: (secret, address) => findSession(deps, secret, address),
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
  const key = hashSecret(secret);
  const expiresAtMs = now() + sessionAbsoluteMs;
  const times = { createdAt: iso(now()), lastSeenAt: iso(now()), expiresAt: iso(expiresAtMs) };
  const row = { idHash: key, userId: user.id, version: user.version, address, ...times };
  return { secret, key, expiresAtMs, statement: { query: store.db.insertInto('sessions').values(row) } };
}

async function findSession(deps: SessionsDeps, secret: string, address: string): Promise<Principal | null> {
  const { store, now, onError } = deps;
  const key = hashSecret(secret);
  const row = await store.db
    .selectFrom('sessions')
    .innerJoin('users', 'users.id', 'sessions.userId')
    .select(['users.id', 'users.name', 'users.role', 'users.version'])
    .select(['sessions.expiresAt', 'sessions.lastSeenAt'])
    .where('sessions.idHash', '=', key)
    .where('users.disabled', '=', 0)
    .whereRef('users.version', '=', 'sessions.version')
    .where('sessions.expiresAt', '>', iso(now()))
    .where('sessions.lastSeenAt', '>', iso(now() - sessionIdleMs))
    .executeTakeFirst();
  if (!row) return null;
  if (Date.parse(row.lastSeenAt) < now() - seenStepMs) {
    // Not awaited, so that a request does not wait for this fsync.
    touchSessions(deps, [key]).catch((error: unknown) => onError(error, { stage: 'session-touch' }));
  }
  return toPrincipal(row, { key, address });
}

async function touchSessions({ store, now }: SessionsDeps, keys: readonly string[]): Promise<void> {
  if (keys.length === 0) return;
  const update = store.db.updateTable('sessions').set({ lastSeenAt: iso(now()) });
  await store.write([{ query: update.where('idHash', 'in', keys) }]);
}

async function sweepSessions({ store, now }: SessionsDeps): Promise<void> {
  const idleSince = iso(now() - sessionIdleMs);
  const over = store.db
    .deleteFrom('sessions')
    .where((row) => row.or([row('expiresAt', '<=', iso(now())), row('lastSeenAt', '<=', idleSince)]));
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
