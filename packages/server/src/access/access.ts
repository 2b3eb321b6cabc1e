import type { OnError } from '@wcc/progress/server';
import type { ChangePasswordRequest, UserId } from '@wcc/api';
import { audit } from './audit.ts';
import type { RetentionClock } from '../storage/retention-clock.ts';
import type { Store } from '../storage/store.ts';
import type { AdminToken } from './admin-token.ts';
import { createAdminToken } from './admin-token.ts';
import type { Grants } from './grants.ts';
import { createGrants } from './grants.ts';
import type { OpenConnections } from './open-connections.ts';
import { createOpenConnections } from './open-connections.ts';
import { changePassword, passwordChangesPerMinute } from './password-change.ts';
import type { Subject } from './rules.ts';
import type { Shares, SharesDeps } from './shares.ts';
import { createShares, sharePrefix } from './shares.ts';
import type { FirstSignIn } from './first-sign-in.ts';
import { createFirstSignIn } from './first-sign-in.ts';
import type { FirstBootProfiles } from './first-boot-profiles.ts';
import { createFirstBootProfiles } from './first-boot-profiles.ts';
import { createPasswords } from './passwords.ts';
import { createAttempts } from './attempts.ts';
import { createSignIn, recordSignInLimit } from './sign-in.ts';
import type { SignIn } from './sign-in.ts';
import type { Principal } from './principal.ts';
import type { Sessions } from './sessions.ts';
import { createSessions } from './sessions.ts';
import type { Tokens, TokensDeps } from './tokens.ts';
import { createTokens, tokenPrefix } from './tokens.ts';
import type { Users } from './users.ts';
import { createUsers } from './users.ts';

/**
 * Ended sessions: one session, token or share; all of a user, and all shares that the user lends; or all sessions of
 * a user except one. Published when it is durable, so that sockets, streams and tickets end.
 */
export type Revocation =
  { sessionKey: string } | { userId: UserId } | { sessionsOf: string; exceptSessionKey: string };

/** Whether a revocation concerns this principal. */
function isRevoked(revocation: Revocation, principal: Principal): boolean {
  if ('sessionKey' in revocation) return principal.sessionKey === revocation.sessionKey;
  if ('userId' in revocation)
    return principal.userId === revocation.userId || principal.lentBy === revocation.userId;
  const { sessionsOf, exceptSessionKey } = revocation;
  return (
    principal.kind === 'session' &&
    principal.userId === sessionsOf &&
    principal.sessionKey !== exceptSessionKey
  );
}

/** Users, sessions, tokens, grants and share links. */
export interface Access {
  readonly users: Users;
  readonly sessions: Sessions;
  readonly tokens: Tokens;
  readonly firstSignIn: FirstSignIn;
  readonly grants: Grants;
  readonly shares: Shares;
  readonly profiles: FirstBootProfiles;
  /** Everything that is open. A revocation ends the connections that it concerns. */
  readonly connections: OpenConnections;
  readonly signIn: SignIn;
  /** Audits that the sign-ins of a client network are refused because there were too many. */
  recordSignInLimit(address: string): Promise<void>;
  signOut(principal: Principal): Promise<void>;
  /** Changes the principal's own password. @throws ApiError `invalid_input` for a wrong current password */
  changePassword(principal: Principal, request: ChangePasswordRequest): Promise<void>;
  /** The owner of an operation, and what was granted on it to the principal. */
  subjectOf(principal: Principal, operation: { id: string; owner: string }): Subject;
  findBearer(secret: string, address: string): Promise<Principal | null>;
  /** The token or share (never a session) that a ticket was issued to. */
  findByTicketHolder(tokenKey: string, address: string): Promise<Principal | null>;
  /** Ends the connections whose session, token or share has ended: expired, idle, revoked or deleted. */
  endStaleConnections(): Promise<void>;
  /** Called when sessions, tokens or shares are revoked, after their connections ended. */
  onRevoked(listener: (revocation: Revocation) => void): void;
  /** Called when a user's rights on operations change. */
  onRightsChanged(listener: (userId: UserId) => void): void;
}

export interface AccessDeps {
  store: Store;
  dataDir: string;
  /** @default Date.now */
  now?: () => number;
  retention: RetentionClock;
  adminToken: string | null;
  onError: OnError;
}

/**
 * Connects users, sessions, tokens, grants and shares. Memory holds only the hash of the administrator's token and
 * the grants; each request reads its principal from the store.
 */
export function createAccess(deps: AccessDeps): Access {
  const { store, onError, now = Date.now } = deps;
  const revocations = createEmitter<Revocation>();
  const changes = createEmitter<string>();
  const connections = createOpenConnections();
  revocations.listen((revocation) => connections.end((principal) => isRevoked(revocation, principal)));
  const revoke = revocations.emit;
  const onRevoked = (sessionKey: string): void => revoke({ sessionKey });
  const passwords = createPasswords();
  const attempts = createAttempts({ max: passwordChangesPerMinute, now: () => performance.now() });
  const sessions = createSessions({ store, now, retention: deps.retention, onError });
  const firstSignIn = createFirstSignIn({ store, passwords, sessions, dataDir: deps.dataDir, now });
  const users = createUsers({
    store,
    passwords,
    closeFirstSignIn: () => firstSignIn.closeStatement(),
    onAdminCreated: () => firstSignIn.removeLinkFile(),
    onChanged: (userId) => revoke({ userId }),
  });
  const grants = createGrants({ store, now, onChanged: changes.emit });
  const bearers = createBearers({ store, now, onError, onRevoked }, deps.adminToken);
  return {
    users,
    sessions,
    tokens: bearers.tokens,
    firstSignIn,
    grants,
    shares: bearers.shares,
    profiles: createFirstBootProfiles(store),
    connections,
    endStaleConnections: () => endStaleConnections({ ...bearers, sessions, connections, now }),
    signIn: createSignIn({ store, passwords, sessions }),
    recordSignInLimit: (address) => recordSignInLimit(store, address),
    async signOut(principal) {
      await signOut({ store, sessions }, principal);
      revoke({ sessionKey: principal.sessionKey });
    },
    async changePassword(principal, request) {
      await changePassword({ store, passwords, attempts }, principal, request);
      revoke({ sessionsOf: principal.userId, exceptSessionKey: principal.sessionKey });
    },
    subjectOf: ({ userId }, { id, owner }) => {
      return { owner, operationId: id, granted: grants.levelOf(id, userId) };
    },
    findBearer: (secret, address) => findBearer(bearers, secret, address),
    findByTicketHolder: (key, address) => findByTicketHolder(bearers, key, address),
    onRightsChanged: changes.listen,
    onRevoked: revocations.listen,
  };
}

function createEmitter<T>(): { emit: (event: T) => void; listen: (listener: (event: T) => void) => void } {
  const listeners: ((event: T) => void)[] = [];
  return {
    emit: (event) => {
      for (const listener of listeners) listener(event);
    },
    listen: (listener) => void listeners.push(listener),
  };
}

/** Asks the store once for each session, token and share that holds something open. */
async function endStaleConnections(deps: Bearers & ConnectionSources): Promise<void> {
  const { connections, sessions, tokens, shares, now } = deps;
  connections.endExpired(now());
  const open = connections.principals();
  const keysOf = (kind: Principal['kind']): string[] =>
    open.flatMap((one) => (one.kind === kind ? [one.sessionKey] : []));
  const ended = await Promise.all([
    sessions.findEnded(keysOf('session')),
    tokens.findEnded(keysOf('token')),
    shares.findEnded(keysOf('share')),
  ]);
  const keys = new Set(ended.flat());
  if (keys.size > 0) connections.end(({ sessionKey }) => keys.has(sessionKey));
}

interface ConnectionSources {
  connections: OpenConnections;
  sessions: Sessions;
  now: () => number;
}

/** What a secret in `Authorization: Bearer` can belong to. */
interface Bearers {
  adminToken: AdminToken;
  tokens: Tokens;
  shares: Shares;
}

function createBearers(deps: Omit<SharesDeps, 'adminMaker'> & TokensDeps, secret: string | null): Bearers {
  const adminToken = createAdminToken(secret);
  return {
    adminToken,
    tokens: createTokens(deps),
    shares: createShares({ ...deps, adminMaker: adminToken.maker }),
  };
}

async function findByTicketHolder(
  { adminToken, tokens, shares }: Bearers,
  key: string,
  address: string,
): Promise<Principal | null> {
  const found = adminToken.findByKey(key, address) ?? (await shares.findByKey(key, address));
  return found ?? tokens.findById(key, address);
}

async function signOut(deps: { store: Store; sessions: Sessions }, principal: Principal): Promise<void> {
  await deps.store.write([
    deps.sessions.end(principal.sessionKey),
    audit(principal, 'session.end', `user:${principal.userId}`),
  ]);
}

async function findBearer(
  { adminToken, tokens, shares }: Bearers,
  secret: string,
  address: string,
): Promise<Principal | null> {
  const admin = adminToken.find(secret, address);
  if (admin) return admin;
  if (secret.startsWith(sharePrefix)) return shares.find(secret, address);
  return secret.startsWith(tokenPrefix) ? tokens.find(secret, address) : null;
}
