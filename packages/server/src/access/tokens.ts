import type { OnError } from '@wcc/progress/server';
import type { CreatedToken, CreateTokenInput, Token, UserId } from '@wcc/api';
import { ApiError } from '@wcc/api';
import { audit } from './audit.ts';
import { StoreConflict } from '../storage/errors.ts';
import type { Store } from '../storage/store.ts';
import type { Principal } from './principal.ts';
import { scopeOf } from './rules.ts';
import { createId, createSecret, hashSecret } from './secrets.ts';

/** Secret scanners recognize this prefix. */
export const tokenPrefix = 'wcc_';

const usedStepMs = 60_000;
const tokensPerUser = 100;

/** Bearer tokens of users, for programs. A token has the current rights of its user, reduced by its scope. */
export interface Tokens {
  /** The tokens of the principal, or of all users. */
  list(principal: Principal, owner: 'me' | 'all'): Promise<Token[]>;
  create(principal: Principal, request: CreateTokenInput): Promise<CreatedToken>;
  revoke(principal: Principal, id: string): Promise<void>;
  /** The principal of a secret; null when it is unknown, revoked or expired, or its user is disabled. */
  find(secret: string, address: string): Promise<Principal | null>;
  /** The same for the claims of a ticket; `id` is the token's id. */
  findById(id: string, address: string): Promise<Principal | null>;
  /** Which of these tokens have ended, or have a disabled user. */
  findEnded(ids: readonly string[]): Promise<string[]>;
}

export interface TokensDeps {
  store: Store;
  now: () => number;
  onError: OnError;
  onRevoked: (tokenId: string) => void;
}

export function createTokens(deps: TokensDeps): Tokens {
  return {
    list: (principal, owner) => listTokens(deps.store, owner === 'me' ? principal.userId : null),
    create: (principal, request) => createToken(deps, principal, request),
    revoke: (principal, id) => revokeToken(deps, principal, id),
    find: (secret, address) => findToken(deps, { column: 'secretHash', value: hashSecret(secret) }, address),
    findById: (id, address) => findToken(deps, { column: 'id', value: id }, address),
    findEnded: (ids) => findEnded(deps, ids),
  };
}

async function listTokens(store: Store, userId: UserId | null): Promise<Token[]> {
  return store.db
    .selectFrom('tokens')
    .innerJoin('users', 'users.id', 'tokens.userId')
    .select(['tokens.id', 'tokens.name', 'tokens.scope', 'tokens.createdAt', 'tokens.expiresAt'])
    .select(['tokens.lastUsedAt', 'tokens.userId', 'users.name as userName'])
    .$if(userId !== null, (query) => query.where('tokens.userId', '=', userId))
    .where('tokens.revokedAt', 'is', null)
    .orderBy('tokens.createdAt')
    .execute();
}

/** Only a session may create tokens, so that a leaked token cannot create its successor. */
async function createToken(
  { store, now }: TokensDeps,
  principal: Principal,
  { name, scope, expiresInDays }: CreateTokenInput,
): Promise<CreatedToken> {
  if (principal.kind !== 'session') {
    throw new ApiError('forbidden', { hint: 'Sign in with a password; a token cannot create tokens.' });
  }
  const held = await listTokens(store, principal.userId);
  if (held.length >= tokensPerUser) {
    throw new ApiError('invalid_state', {
      message: `You already have ${tokensPerUser} tokens, the maximum.`,
      hint: 'Revoke one first.',
    });
  }
  const secret = tokenPrefix + createSecret();
  const row = {
    id: createId(),
    name,
    scope,
    createdAt: new Date(now()).toISOString(),
    expiresAt: new Date(now() + expiresInDays * 86_400_000).toISOString(),
    lastUsedAt: null,
  };
  const hidden = { userId: principal.userId, secretHash: hashSecret(secret), revokedAt: null };
  await store.write([
    { query: store.db.insertInto('tokens').values({ ...row, ...hidden }) },
    audit(principal, 'token.create', `token:${row.id}`),
  ]);
  return { ...row, userId: principal.userId, userName: principal.userName, secret };
}

async function revokeToken(deps: TokensDeps, principal: Principal, id: string): Promise<void> {
  const { store, now, onRevoked } = deps;
  const { all, ownerId } = scopeOf(principal, 'token.manage');
  const update = store.db
    .updateTable('tokens')
    .set({ revokedAt: new Date(now()).toISOString() })
    .where('id', '=', id)
    .where('revokedAt', 'is', null)
    .$if(!all, (query) => query.where('userId', '=', ownerId ?? ''));
  try {
    await store.write([{ query: update, expectRows: 1 }, audit(principal, 'token.revoke', `token:${id}`)]);
  } catch (cause) {
    throw cause instanceof StoreConflict ? new ApiError('not_found', { cause }) : cause;
  }
  onRevoked(id);
}

/** The tokens that are valid now. */
function validTokens({ store, now }: TokensDeps) {
  return store.db
    .selectFrom('tokens')
    .innerJoin('users', 'users.id', 'tokens.userId')
    .where('tokens.revokedAt', 'is', null)
    .where('tokens.expiresAt', '>', new Date(now()).toISOString())
    .where('users.disabled', '=', 0);
}

async function findEnded(deps: TokensDeps, ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0) return [];
  const rows = await validTokens(deps).select('tokens.id').where('tokens.id', 'in', ids).execute();
  const valid = new Set(rows.map(({ id }) => id));
  return ids.filter((id) => !valid.has(id));
}

async function findToken(
  deps: TokensDeps,
  { column, value }: { column: 'secretHash' | 'id'; value: string },
  address: string,
): Promise<Principal | null> {
  const { store, now, onError } = deps;
  const at = new Date(now()).toISOString();
  const row = await validTokens(deps)
    .select(['tokens.id', 'tokens.name', 'tokens.scope', 'tokens.expiresAt', 'tokens.lastUsedAt'])
    .select(['users.id as userId', 'users.name as userName', 'users.role', 'users.version'])
    .where(`tokens.${column}`, '=', value)
    .executeTakeFirst();
  if (!row) return null;
  if (row.lastUsedAt === null || Date.parse(row.lastUsedAt) < now() - usedStepMs) {
    const update = store.db.updateTable('tokens').set({ lastUsedAt: at }).where('id', '=', row.id);
    store.write([{ query: update }]).catch((error: unknown) => onError(error, { stage: 'token-touch' }));
  }
  const { userId, userName, role, version, scope } = row;
  const times = { sessionVersion: version, expiresAtMs: Date.parse(row.expiresAt) };
  return {
    kind: 'token',
    userId,
    userName,
    role,
    scope,
    limitedTo: null,
    lentBy: null,
    sessionKey: row.id,
    tokenName: row.name,
    address,
    ...times,
  };
}
