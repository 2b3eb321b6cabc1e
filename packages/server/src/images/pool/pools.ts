import { ApiError } from '@wcc/api';
import { canClone } from '@wcc/copy';
import { createOperationId } from '@wcc/progress';
import { basename, resolve } from 'node:path';
import type { OnError } from '@wcc/progress/server';
import type { Store } from '../../storage/store.ts';
import { PoolError, toPoolError } from './error.ts';
import { markerPath } from './marker.ts';
import type { OpenPool } from './open-pool.ts';
import { createLookGate } from './look-gate.ts';
import type { LookGate } from './look-gate.ts';
import { openPool } from './open-pool.ts';

export interface PoolsOptions {
  store: Store;
  installationId: string;
  pool: { path: string; origin: 'default' | 'named' };
  onError: OnError;
}

/** A configured pool, available or not. */
export interface Pool {
  readonly id: string;
  readonly name: string;
  readonly path: string;
  /** Null: it is available. */
  readonly reason: PoolError | null;
  /** Whether its file system can share blocks, as a trial showed. */
  readonly canClone: boolean;
  /** Calls to its file system that a request waits for. */
  readonly gate: LookGate;
}

export interface Pools {
  all(): readonly Pool[];
  isReady(poolId: string): boolean;
  /** @throws ApiError `not_found` */
  find(poolId: string): Pool;
  /** The pool, after a check of its directory. @throws ApiError `not_found`, `resources`; PoolError */
  use(poolId: string): Promise<Pool>;
  /** Opens closed pools and checks open ones; true if a pool became ready. @throws ApiError `resources` */
  refresh(): Promise<boolean>;
  close(): void;
}

interface ManagedPool extends Pool {
  id: string;
  reason: PoolError | null;
  canClone: boolean;
  opened: OpenPool | null;
}

/** Reads the pools of this installation; opens none. */
export async function createPools(options: PoolsOptions): Promise<Pools> {
  const managed = await describe(options);
  const byId = (poolId: string): ManagedPool => {
    if (managed.id === poolId) return managed;
    throw new ApiError('not_found');
  };
  let refreshing: Promise<boolean> | null = null;
  return {
    all: () => [managed],
    isReady: (poolId) => managed.id === poolId && managed.reason === null,
    find: byId,
    async use(poolId) {
      const pool = byId(poolId);
      await checkPool(pool);
      if (pool.reason !== null) throw pool.reason;
      return pool;
    },
    refresh() {
      refreshing ??= refresh(managed, options).finally(() => (refreshing = null));
      return refreshing;
    },
    close() {
      managed.opened?.close();
      managed.opened = null;
      managed.reason = new PoolError('directory_missing');
    },
  };
}

async function describe({ store, pool }: PoolsOptions): Promise<ManagedPool> {
  const path = resolve(pool.path);
  const row = await store.db.selectFrom('pools').selectAll().where('path', '=', path).executeTakeFirst();
  return {
    // A new pool has the id that its marker will get.
    id: row?.id ?? createOperationId(),
    name: row?.name ?? basename(path),
    path,
    reason: new PoolError('directory_missing'),
    canClone: false,
    gate: createLookGate(),
    opened: null,
  };
}

/**
 * Checks an open pool. Too many open files say nothing about its disk, and a disk that hangs may respond again: the pool
 * stays as it is.
 * @throws ApiError `resources` if the server cannot check it now; PoolError `not_responding`
 */
async function checkPool(pool: ManagedPool): Promise<void> {
  if (pool.opened === null) return;
  const { opened } = pool;
  const reason = await pool.gate
    .run(() => opened.check())
    .then(
      () => null,
      (error: unknown) => toPoolError(error),
    );
  if (reason?.reason === 'not_responding') throw reason;
  if (reason?.reason === 'resources') throw new ApiError('resources', { cause: reason });
  pool.reason = reason;
}

async function refresh(pool: ManagedPool, options: PoolsOptions): Promise<boolean> {
  const wasReady = pool.opened !== null && pool.reason === null;
  await checkPool(pool);
  if (pool.opened !== null && pool.reason !== null) {
    // A disk that is mounted there later is another directory with its own lock.
    pool.opened.close();
    pool.opened = null;
  }
  if (pool.opened === null) await tryOpen(pool, options);
  return !wasReady && pool.reason === null;
}

async function tryOpen(pool: ManagedPool, options: PoolsOptions): Promise<void> {
  const { store, installationId, onError } = options;
  let opened: OpenPool | null = null;
  try {
    opened = await openPool({
      path: pool.path,
      installationId,
      poolId: pool.id,
      isKnown: await isKnown(store, pool.path),
      makesDirectory: options.pool.origin === 'default',
      onError,
    });
    await register(store, pool, opened);
    pool.id = opened.id;
    pool.canClone = await canClone(markerPath(opened.path), opened.path).catch((error: unknown) => {
      onError(error, { stage: `pool ${pool.path}: trial clone` });
      return false;
    });
    pool.opened = opened;
    pool.reason = null;
  } catch (error) {
    // The lock of this process must not block the next attempt.
    opened?.close();
    pool.reason = toPoolError(error);
    onError(pool.reason, { stage: `pool ${pool.path}` });
  }
}

async function isKnown(store: Store, path: string): Promise<boolean> {
  const row = await store.db.selectFrom('pools').select('id').where('path', '=', path).executeTakeFirst();
  return row !== undefined;
}

/** Writes the marker first, so that wcc recognises its directory after a crash. */
async function register(store: Store, pool: ManagedPool, opened: OpenPool): Promise<void> {
  const row = await store.db.selectFrom('pools').selectAll().where('id', '=', opened.id).executeTakeFirst();
  if (row?.path === pool.path) return;
  if (row) {
    // The user moved the directory with its marker, so the images are the same.
    await store.write([
      { query: store.db.updateTable('pools').set({ path: pool.path }).where('id', '=', row.id) },
    ]);
    return;
  }
  const names = await store.db.selectFrom('pools').select('name').where('name', '=', pool.name).execute();
  const name = names.length === 0 ? pool.name : `${pool.name}-${opened.id.slice(0, 6)}`;
  const values = { id: opened.id, name, path: pool.path, createdAt: new Date().toISOString() };
  await store.write([{ query: store.db.insertInto('pools').values(values) }]);
}
