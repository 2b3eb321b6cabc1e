import type { OnError } from '@wcc/progress/server';
import type { CreateShareInput, OperationId, Role, Share } from '@wcc/api';
import { ApiError } from '@wcc/api';
import { audit } from './audit.ts';
import { StoreConflict } from '../storage/errors.ts';
import type { Store } from '../storage/store.ts';
import { adminTokenKey } from './admin-token.ts';
import type { Principal } from './principal.ts';
import { can } from './rules.ts';
import { createId, createSecret, hashSecret } from './secrets.ts';

/** Secret scanners recognize this prefix. */
export const sharePrefix = 'wccs_';
const keyPrefix = 'share:';
const sharesPerOperation = 50;

/** A new share with its secret. */
export type NewShare = Share & { secret: string };

/**
 * Share links: each shows one operation without sign-in. A share lends its creator's right to watch. It ends when it
 * is revoked, when it expires, and when its creator loses the right.
 */
export interface Shares {
  list(operationId: OperationId): Promise<Share[]>;
  /** @throws ApiError `invalid_state` when the operation has too many shares */
  create(principal: Principal, operationId: OperationId, request: CreateShareInput): Promise<NewShare>;
  /** @throws ApiError `not_found` */
  revoke(principal: Principal, operationId: OperationId, id: string): Promise<void>;
  /** The principal of a secret; null when the share is unknown or ended. */
  find(secret: string, address: string): Promise<Principal | null>;
  /** The same for the claims of a ticket; `key` is the principal's `sessionKey`. */
  findByKey(key: string, address: string): Promise<Principal | null>;
  /** Which of these shares have ended; `keys` are the principals' `sessionKey`s. */
  findEnded(keys: readonly string[]): Promise<string[]>;
}

export interface SharesDeps {
  store: Store;
  now: () => number;
  onError: OnError;
  onRevoked: (sessionKey: string) => void;
  /** See `AdminToken`. */
  adminMaker: string | null;
}

export function createShares(deps: SharesDeps): Shares {
  /** Shares whose first use since the start is audited. */
  const used = new Set<string>();
  return {
    list: (operationId) => listShares(deps, operationId),
    create: (principal, operationId, request) => createShare(deps, principal, { operationId, ...request }),
    revoke: (principal, operationId, id) => revokeShare(deps, principal, { operationId, id }),
    async find(secret, address) {
      const found = await findShare(deps, { column: 'secretHash', value: hashSecret(secret) }, address);
      if (found !== null) noteUse(deps, used, found);
      return found;
    },
    findByKey: async (key, address) =>
      key.startsWith(keyPrefix)
        ? findShare(deps, { column: 'id', value: key.slice(keyPrefix.length) }, address)
        : null,
    findEnded: (keys) => findEnded(deps, keys),
  };
}

const publicColumns = [
  'shares.id',
  'shares.operationId',
  'shares.name',
  'shares.creatorName as createdBy',
  'shares.createdAt',
  'shares.expiresAt',
] as const;

async function listShares(deps: SharesDeps, operationId: OperationId): Promise<Share[]> {
  return validShares(deps)
    .select(publicColumns)
    .where('shares.operationId', '=', operationId)
    .orderBy('shares.createdAt')
    .execute();
}

async function createShare(
  deps: SharesDeps,
  principal: Principal,
  { operationId, name, expiresInS }: { operationId: OperationId; name: string; expiresInS: number },
): Promise<NewShare> {
  const { store, now } = deps;
  if ((await listShares(deps, operationId)).length >= sharesPerOperation) {
    const message = `This operation already has ${sharesPerOperation} share links, the maximum.`;
    throw new ApiError('invalid_state', { message, hint: 'Revoke one first.' });
  }
  const secret = sharePrefix + createSecret();
  const shown = {
    id: createId(),
    operationId,
    name,
    createdAt: new Date(now()).toISOString(),
    // A link that a token made ends with it at the latest.
    expiresAt: new Date(Math.min(now() + expiresInS * 1000, tokenEndMs(principal))).toISOString(),
  };
  const creator = {
    creatorId: principal.userId,
    creatorName: principal.userName,
    madeBy: makerOf(deps, principal),
  };
  const row = { ...shown, ...creator, secretHash: hashSecret(secret), revokedAt: null };
  await store.write([
    { query: store.db.insertInto('shares').values(row) },
    audit(principal, `share.create ${shown.id}`, `operation:${operationId}`),
  ]);
  return { ...shown, createdBy: creator.creatorName, secret };
}

function tokenEndMs({ kind, expiresAtMs }: Principal): number {
  return kind === 'token' ? (expiresAtMs ?? Infinity) : Infinity;
}

function makerOf({ adminMaker }: SharesDeps, { kind, sessionKey }: Principal): string | null {
  if (kind === 'admin-token') return adminMaker;
  return kind === 'token' ? sessionKey : null;
}

/** Shares that are neither revoked nor expired, and whose token, if a token made them, is not revoked. */
function validShares({ store, now, adminMaker }: SharesDeps) {
  return store.db
    .selectFrom('shares')
    .leftJoin('tokens as maker', 'maker.id', 'shares.madeBy')
    .where('shares.revokedAt', 'is', null)
    .where('shares.expiresAt', '>', new Date(now()).toISOString())
    .where('maker.revokedAt', 'is', null)
    .where((row) =>
      row.or([row('shares.creatorId', '<>', adminTokenKey), row('shares.madeBy', '=', adminMaker ?? '')]),
    );
}

async function revokeShare(
  { store, now, onRevoked }: SharesDeps,
  principal: Principal,
  { operationId, id }: { operationId: OperationId; id: string },
): Promise<void> {
  const update = store.db
    .updateTable('shares')
    .set({ revokedAt: new Date(now()).toISOString() })
    .where('id', '=', id)
    .where('operationId', '=', operationId)
    .where('revokedAt', 'is', null);
  try {
    await store.write([
      { query: update, expectRows: 1 },
      audit(principal, `share.revoke ${id}`, `operation:${operationId}`),
    ]);
  } catch (cause) {
    throw cause instanceof StoreConflict ? new ApiError('not_found', { cause }) : cause;
  }
  onRevoked(keyPrefix + id);
}

/** A change of the creator is a revocation of its own. */
async function findEnded(deps: SharesDeps, keys: readonly string[]): Promise<string[]> {
  if (keys.length === 0) return [];
  const ids = keys.map((key) => key.slice(keyPrefix.length));
  const rows = await validShares(deps).select('shares.id').where('shares.id', 'in', ids).execute();
  const valid = new Set(rows.map(({ id }) => keyPrefix + id));
  return keys.filter((key) => !valid.has(key));
}

async function findShare(
  deps: SharesDeps,
  { column, value }: { column: 'secretHash' | 'id'; value: string },
  address: string,
): Promise<Principal | null> {
  const row = await validShares(deps)
    .innerJoin('operations', 'operations.id', 'shares.operationId')
    .leftJoin('users', 'users.id', 'shares.creatorId')
    .select(['shares.id', 'shares.operationId', 'shares.expiresAt', 'shares.creatorId'])
    .select(['operations.ownerId', 'users.role', 'users.disabled'])
    .where(`shares.${column}`, '=', value)
    .executeTakeFirst();
  if (!row) return null;
  const share = toPrincipal(row, address);
  return mayCreatorWatch(row, share) ? share : null;
}

interface ShareRow {
  id: string;
  operationId: OperationId;
  expiresAt: string;
  creatorId: string;
  ownerId: string;
  role: Role | null;
  disabled: number | null;
}

function toPrincipal({ id, operationId, expiresAt, creatorId }: ShareRow, address: string): Principal {
  const key = keyPrefix + id;
  return {
    kind: 'share',
    userId: key,
    userName: key,
    role: 'viewer',
    sessionKey: key,
    sessionVersion: 0,
    scope: 'read',
    limitedTo: [operationId],
    lentBy: creatorId,
    expiresAtMs: Date.parse(expiresAt),
    address,
    tokenName: null,
  };
}

/** The administrator's token belongs to no user and may watch everything. */
function mayCreatorWatch(row: ShareRow, share: Principal): boolean {
  if (row.creatorId === adminTokenKey) return true;
  if (row.role === null || row.disabled !== 0) return false;
  const creator: Principal = {
    ...share,
    kind: 'session',
    userId: row.creatorId,
    role: row.role,
    limitedTo: null,
    lentBy: null,
  };
  return can(creator, 'operation.watch', { owner: row.ownerId, operationId: row.operationId });
}

/** Not awaited, so that opening a link does not wait for an fsync. */
function noteUse({ store, onError }: SharesDeps, used: Set<string>, share: Principal): void {
  if (used.has(share.sessionKey)) return;
  used.add(share.sessionKey);
  const [operationId = ''] = share.limitedTo ?? [];
  store
    .write([audit(share, 'share.use', `operation:${operationId}`)])
    .catch((error: unknown) => onError(error, { stage: 'share-use' }));
}
