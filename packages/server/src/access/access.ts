import { auditStatement } from '../storage/audit.ts';
import type { Store } from '../storage/store.ts';
import type { AdminToken } from './admin-token.ts';
import { createAdminToken } from './admin-token.ts';
import type { FirstSignIn, SignedIn } from './first-sign-in.ts';
import { createFirstSignIn } from './first-sign-in.ts';
import { createPasswords } from './passwords.ts';
import type { Principal } from './principal.ts';
import { whoIs } from './principal.ts';
import type { Sessions } from './sessions.ts';
import { createSessions } from './sessions.ts';
import type { Tokens } from './tokens.ts';
import { createTokens, tokenPrefix } from './tokens.ts';
import type { Users } from './users.ts';
import { createUsers } from './users.ts';

/** Who is over: one session or token, or all of a user. Told after it is durable, so that sockets and tickets go. */
export type Revocation = { sessionKey: string } | { userId: string };

/** Everything about who somebody is. */
export interface Access {
  readonly users: Users;
  readonly sessions: Sessions;
  readonly tokens: Tokens;
  readonly firstSignIn: FirstSignIn;
  /** Null for a wrong name or password; both outcomes are in the audit record, and take the same work. */
  signIn(request: { name: string; password: string }, address: string): Promise<SignedIn | null>;
  signOut(principal: Principal): Promise<void>;
  findBearer(secret: string, address: string): Promise<Principal | null>;
  /** The token (never a session) of that key, for a ticket that a program obtained with it. */
  findHolder(tokenKey: string, address: string): Promise<Principal | null>;
  /** Listeners hear who is over. */
  onRevoked(listener: (revocation: Revocation) => void): void;
}

export interface AccessDeps {
  store: Store;
  dataDir: string;
  /** @default Date.now */
  now?: () => number;
  adminToken: string | null;
  onError: (error: unknown, context: { stage: string }) => void;
}

/**
 * Wires users, sessions, tokens and the first sign-in together. Keeps nothing in memory but the hash of the
 * administrator's token: what is true of a principal is asked of the store at each request.
 */
export function createAccess(deps: AccessDeps): Access {
  const { store, onError } = deps;
  const now = deps.now ?? Date.now;
  const listeners: ((revocation: Revocation) => void)[] = [];
  const revoke = (revocation: Revocation): void => {
    for (const listener of listeners) listener(revocation);
  };
  const passwords = createPasswords();
  const sessions = createSessions({ store, now, onError });
  const firstSignIn = createFirstSignIn({ store, passwords, sessions, dataDir: deps.dataDir, now });
  const onRevoked = (tokenId: string): void => revoke({ sessionKey: tokenId });
  const tokens = createTokens({ store, now, onError, onRevoked });
  const users = createUsers({
    store,
    passwords,
    closeFirstSignIn: () => firstSignIn.closing(),
    onAdminCreated: () => firstSignIn.removeLinkFile(),
    onChanged: (userId) => revoke({ userId }),
  });
  const adminToken = createAdminToken(deps.adminToken);
  return {
    users,
    sessions,
    tokens,
    firstSignIn,
    signIn: (request, address) => signIn({ store, passwords, sessions }, request, address),
    async signOut(principal) {
      await signOut({ store, sessions }, principal);
      revoke({ sessionKey: principal.sessionKey });
    },
    findBearer: (secret, address) => findBearer({ adminToken, tokens }, secret, address),
    findHolder: async (key, address) => adminToken.findByKey(key, address) ?? tokens.findById(key, address),
    onRevoked: (listener) => void listeners.push(listener),
  };
}

async function signIn(
  deps: { store: Store; sessions: Sessions; passwords: ReturnType<typeof createPasswords> },
  { name, password }: { name: string; password: string },
  address: string,
): Promise<SignedIn | null> {
  const { store, sessions } = deps;
  const user = await store.db.selectFrom('users').selectAll().where('name', '=', name).executeTakeFirst();
  const matches = await deps.passwords.verify(user?.passwordHash ?? null, password);
  // An unknown name is not written down: people type passwords into the wrong field.
  const who = user ? user.name : '(unknown)';
  const entry = { who, address, what: 'session.create', subject: user ? `user:${user.id}` : null };
  if (!user || !matches || user.disabled === 1) {
    await store.write([auditStatement({ ...entry, result: 'wrong_credentials' })]);
    return null;
  }
  const session = sessions.prepare(user, address);
  await store.write([session.statement, auditStatement({ ...entry, result: 'ok' })]);
  return { session, user: { id: user.id, name: user.name, role: user.role } };
}

async function signOut(deps: { store: Store; sessions: Sessions }, principal: Principal): Promise<void> {
  const { address, userId } = principal;
  const what = { what: 'session.end', subject: `user:${userId}`, result: 'ok' };
  await deps.store.write([
    deps.sessions.end(principal.sessionKey),
    auditStatement({ who: whoIs(principal), address, ...what }),
  ]);
}

async function findBearer(
  { adminToken, tokens }: { adminToken: AdminToken; tokens: Tokens },
  secret: string,
  address: string,
): Promise<Principal | null> {
  const admin = adminToken.find(secret, address);
  if (admin) return admin;
  return secret.startsWith(tokenPrefix) ? tokens.find(secret, address) : null;
}
