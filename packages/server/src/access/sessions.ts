import type { OnError } from '@wcc/progress/server';
import type { Store, WriteStatement } from '../storage/store.ts';
import type { Principal } from './principal.ts';
import { createSecret, hashSecret } from './secrets.ts';

/** A session ends so long after it was made, used or not. */
export const sessionAbsoluteMs: number = 12 * 3_600_000;
/** A session ends so long after its last use; an open socket counts as use. */
export const sessionIdleMs: number = 2 * 3_600_000;
/** `lastSeenAt` is not written more often than this. */
const seenStepMs = 60_000;

/** A session that exists as soon as its statement was written. */
export interface NewSession {
  /** Goes into the cookie and nowhere else. */
  secret: string;
  key: string;
  expiresAtMs: number;
  statement: WriteStatement;
}

/**
 * Signed-in browsers. A session is alive while its row is there, neither end has come, its user is enabled and has
 * the version of the sign-in; nothing else has to be remembered to end it.
 */
export interface Sessions {
  /** A row for the batch that signs a user in. */
  prepare(user: { id: string; version: number }, address: string): NewSession;
  /** The principal of a cookie, or null when the session is unknown, over, or its user changed. */
  find(secret: string, address: string): Promise<Principal | null>;
  /** For the batch that signs out. */
  end(key: string): WriteStatement;
  /** Keeps the sessions of open sockets in use. */
  touch(keys: readonly string[]): Promise<void>;
  /** Removes what is over. */
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
    // Not awaited: a request does not wait for an fsync that only notes the time.
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
