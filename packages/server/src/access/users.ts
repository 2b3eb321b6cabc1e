import type { ChangeUserRequest, CreateUserRequest, User, UserId } from '@wcc/api';
import { ApiError } from '@wcc/api';
import type { Insertable, RawBuilder, SqlBool } from 'kysely';
import { sql } from 'kysely';
import { audit } from './audit.ts';
import { toNameTaken } from './name-taken.ts';
import { StoreConflict } from '../storage/errors.ts';
import type { UsersTable } from '../storage/schema.ts';
import type { Store, WriteStatement } from '../storage/store.ts';
import type { Passwords } from './passwords.ts';
import type { Principal } from './principal.ts';
import { createId } from './secrets.ts';

/** User accounts. Administrators disable users and never delete them, because records name them. */
export interface Users {
  list(): Promise<User[]>;
  create(principal: Principal, request: CreateUserRequest): Promise<User>;
  /** Every change ends the user's sessions; `onChanged` is called once it is durable. */
  change(principal: Principal, id: string, request: ChangeUserRequest): Promise<User>;
  hasAdmin(): Promise<boolean>;
}

export interface UsersDeps {
  store: Store;
  passwords: Passwords;
  /** Statement for the batch that creates an administrator, because it invalidates the one-time link. */
  closeFirstSignIn: () => WriteStatement;
  onAdminCreated: () => Promise<void>;
  onChanged: (userId: UserId) => void;
}

/** A new row of `users`. */
export async function newUserRow(
  request: CreateUserRequest,
  passwords: Passwords,
): Promise<Insertable<UsersTable>> {
  return {
    id: createId(),
    name: request.name,
    role: request.role,
    passwordHash: await passwords.hash(request.password, { name: request.name, field: 'password' }),
    disabled: 0,
    createdAt: new Date().toISOString(),
  };
}

export function createUsers(deps: UsersDeps): Users {
  const { store } = deps;
  return {
    async list() {
      const rows = await store.db.selectFrom('users').select(publicColumns).orderBy('name').execute();
      return rows.map(toUser);
    },
    create: (principal, request) => createUser(deps, principal, request),
    change: (principal, id, request) => changeUser(deps, principal, { id, request }),
    async hasAdmin() {
      const query = store.db.selectFrom('users').select('id').where('role', '=', 'admin');
      return (await query.limit(1).executeTakeFirst()) !== undefined;
    },
  };
}

const publicColumns = ['id', 'name', 'role', 'disabled', 'createdAt'] as const;
type PublicRow = Pick<Insertable<UsersTable>, (typeof publicColumns)[number]>;

function toUser({ id, name, role, disabled, createdAt }: PublicRow): User {
  return { id, name, role, disabled: disabled === 1, createdAt };
}

async function createUser(deps: UsersDeps, principal: Principal, request: CreateUserRequest): Promise<User> {
  const row = await newUserRow(request, deps.passwords);
  const batch: WriteStatement[] = [
    { query: deps.store.db.insertInto('users').values(row) },
    audit(principal, 'user.create', `user:${row.id}`),
  ];
  if (row.role === 'admin') batch.push(deps.closeFirstSignIn());
  try {
    await deps.store.write(batch);
  } catch (error) {
    throw toNameTaken(error);
  }
  if (row.role === 'admin') await deps.onAdminCreated();
  return toUser(row);
}

interface Change {
  id: string;
  request: ChangeUserRequest;
}

async function changeUser(deps: UsersDeps, principal: Principal, { id, request }: Change): Promise<User> {
  const { store } = deps;
  const held = await store.db.selectFrom('users').selectAll().where('id', '=', id).executeTakeFirst();
  if (!held) throw new ApiError('not_found');
  if (Object.keys(request).length === 0) return toUser(held);
  const next = {
    role: request.role ?? held.role,
    disabled: (request.disabled ?? held.disabled === 1) ? 1 : 0,
    passwordHash:
      request.password === undefined
        ? held.passwordHash
        : await deps.passwords.hash(request.password, { name: held.name, field: 'password' }),
  };
  const staysAdmin = next.role === 'admin' && next.disabled === 0;
  const update = store.db
    .updateTable('users')
    .set({ ...next, version: held.version + 1 })
    .where('id', '=', id)
    .where('version', '=', held.version)
    .$if(!staysAdmin, (query) => query.where(isNotLastAdmin(id)));
  try {
    // One batch, so that no old session sees the new role.
    await store.write([
      { query: update, expectRows: 1 },
      { query: store.db.deleteFrom('sessions').where('userId', '=', id) },
      audit(principal, `user.change ${Object.keys(request).toSorted().join(',')}`, `user:${id}`),
    ]);
  } catch (error) {
    throw error instanceof StoreConflict ? await explainConflict(store, held, error) : error;
  }
  deps.onChanged(id);
  return toUser({ ...held, ...next });
}

/** Part of the statement, so that two administrators who demote each other cannot both succeed. */
function isNotLastAdmin(id: string): RawBuilder<SqlBool> {
  return sql<SqlBool>`(role <> 'admin' or disabled = 1 or exists (
    select 1 from users as other where other.role = 'admin' and other.disabled = 0 and other.id <> ${id}))`;
}

async function explainConflict(
  store: Store,
  held: { id: string; version: number },
  cause: StoreConflict,
): Promise<ApiError> {
  const query = store.db.selectFrom('users').select('version').where('id', '=', held.id);
  const unchanged = (await query.executeTakeFirst())?.version === held.version;
  return unchanged
    ? new ApiError('last_admin', { cause })
    : new ApiError('invalid_state', { message: 'Another administrator has just changed this user.', cause });
}
