import type { CreateGrantInput, Grant, GrantLevel, OperationId, UserId } from '@wcc/api';
import { ApiError } from '@wcc/api';
import { audit } from './audit.ts';
import { StoreConflict } from '../storage/errors.ts';
import type { Store } from '../storage/store.ts';
import type { Principal } from './principal.ts';

/** Access of users to operations of others. The caller checks who may grant. */
export interface Grants {
  /** From memory, because every event of every watcher needs it. */
  levelOf(operationId: OperationId, userId: UserId): GrantLevel | null;
  list(operationId: OperationId): Promise<Grant[]>;
  /** Replaces an earlier grant to the same user. @throws ApiError `invalid_input` */
  create(principal: Principal, operationId: OperationId, request: CreateGrantInput): Promise<Grant>;
  /** @throws ApiError `not_found` */
  revoke(principal: Principal, operationId: OperationId, userId: UserId): Promise<void>;
  /** Reads all grants from the store; call it before the first authorization. */
  load(): Promise<void>;
}

export interface GrantsDeps {
  store: Store;
  now: () => number;
  /** Called after the rights of a user changed. */
  onChanged: (userId: UserId) => void;
}

/** By operation, then by user. */
type Index = Map<string, Map<string, GrantLevel>>;

export function createGrants(deps: GrantsDeps): Grants {
  const index: Index = new Map();
  return {
    levelOf: (operationId, userId) => index.get(operationId)?.get(userId) ?? null,
    list: (operationId) => listGrants(deps.store, operationId),
    create: (principal, operationId, request) =>
      createGrant({ ...deps, index }, principal, { operationId, ...request }),
    revoke: (principal, operationId, userId) =>
      revokeGrant({ ...deps, index }, principal, { operationId, userId }),
    async load() {
      const query = deps.store.db.selectFrom('grants').select(['operationId', 'userId', 'level']);
      for (const row of await query.execute()) put(index, row);
    },
  };
}

function put(index: Index, row: { operationId: OperationId; userId: UserId; level: GrantLevel }): void {
  const levels = index.get(row.operationId) ?? new Map<string, GrantLevel>();
  index.set(row.operationId, levels.set(row.userId, row.level));
}

async function listGrants(store: Store, operationId: OperationId): Promise<Grant[]> {
  return store.db
    .selectFrom('grants')
    .innerJoin('users', 'users.id', 'grants.userId')
    .select(['grants.userId', 'users.name as userName', 'grants.level', 'grants.grantedBy'])
    .select('grants.createdAt')
    .where('grants.operationId', '=', operationId)
    .orderBy('users.name')
    .execute();
}

async function createGrant(
  { store, now, onChanged, index }: GrantsDeps & { index: Index },
  principal: Principal,
  { operationId, userName, level }: { operationId: OperationId; userName: string; level: GrantLevel },
): Promise<Grant> {
  const user = await store.db
    .selectFrom('users')
    .select(['id', 'name'])
    .where('name', '=', userName)
    .where('disabled', '=', 0)
    .executeTakeFirst();
  if (!user) {
    throw new ApiError('invalid_input', { field: 'userName', message: 'No user has this name.' });
  }
  const createdAt = new Date(now()).toISOString();
  const row = { operationId, userId: user.id, level, grantedBy: principal.userName, createdAt };
  const insert = store.db
    .insertInto('grants')
    .values(row)
    .onConflict((is) =>
      is.columns(['operationId', 'userId']).doUpdateSet({ level, grantedBy: row.grantedBy, createdAt }),
    );
  const what = `grant.create ${level} ${user.name}`;
  await store.write([{ query: insert }, audit(principal, what, `operation:${operationId}`)]);
  put(index, row);
  onChanged(user.id);
  return { userId: user.id, userName: user.name, level, grantedBy: row.grantedBy, createdAt };
}

async function revokeGrant(
  { store, onChanged, index }: GrantsDeps & { index: Index },
  principal: Principal,
  { operationId, userId }: { operationId: OperationId; userId: UserId },
): Promise<void> {
  const remove = store.db
    .deleteFrom('grants')
    .where('operationId', '=', operationId)
    .where('userId', '=', userId);
  try {
    await store.write([
      { query: remove, expectRows: 1 },
      audit(principal, `grant.revoke user:${userId}`, `operation:${operationId}`),
    ]);
  } catch (cause) {
    throw cause instanceof StoreConflict ? new ApiError('not_found', { cause }) : cause;
  }
  index.get(operationId)?.delete(userId);
  onChanged(userId);
}
