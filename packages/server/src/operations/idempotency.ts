import { ApiError } from '@wcc/api';
import type { Snapshot } from '@wcc/progress';
import { createHash } from 'node:crypto';
import type { WriteStatement } from '../storage/store.ts';
import type { Engine } from './engine.ts';
import { keysKeptForMs } from './purge.ts';

/** A request that may be sent again: the same key returns the same operation. */
export interface IdempotentRequest {
  /** The owner of the key; keys of different users are independent. */
  userId: string;
  /** e.g. `POST /api/images/100/copy`. */
  route: string;
  /** The `Idempotency-Key` header; null: every request is a new one. */
  key: string | null;
  body: unknown;
}

/** The route of a request's idempotency key; a retry counts as a request to the operation that it repeats. */
export function routeOf(route: string, retryOf: string | null): string {
  return retryOf === null ? route : `POST /api/operations/${retryOf}/retry`;
}

export interface Idempotency {
  /**
   * Creates the operation, or returns the one that this key created in the last 24 h. `make` contains every check
   * whose result can change: a request that was accepted keeps its answer. Only the right is checked before.
   * @throws ApiError `idempotency_conflict` if the key was used with another body
   */
  once(request: IdempotentRequest, make: (remember: Remember) => Promise<Snapshot>): Promise<Snapshot>;
}

/** Rows for the batch that accepts the operation. */
export type Remember = (operationId: string) => WriteStatement[];

export function createIdempotency(
  context: Pick<Engine, 'store' | 'retention'>,
  find: (operationId: string) => Promise<Snapshot | undefined>,
): Idempotency {
  const { store } = context;
  /** Concurrent requests with the same key wait for the first. */
  const running = new Map<string, Promise<unknown>>();

  async function lookUp(scope: string, bodyHash: string): Promise<Snapshot | undefined> {
    const row = await store.db
      .selectFrom('idempotencyKeys')
      .select(['bodyHash', 'operationId'])
      .where('scope', '=', scope)
      .where('createdAt', '>=', cutoff(context))
      .executeTakeFirst();
    if (row === undefined) return undefined;
    if (row.bodyHash !== bodyHash) throw new ApiError('idempotency_conflict');
    return find(row.operationId);
  }

  return {
    async once(request, make) {
      if (request.key === null) return make(() => []);
      const scope = hash([request.userId, request.route, request.key]);
      const bodyHash = hash(request.body);
      while (running.has(scope)) await running.get(scope);
      const attempt = (async () =>
        (await lookUp(scope, bodyHash)) ??
        make((id) => rowsOf(context, { scope, bodyHash, operationId: id })))();
      running.set(
        scope,
        attempt.catch(() => {}).finally(() => running.delete(scope)),
      );
      return attempt;
    },
  };
}

function rowsOf(
  context: Pick<Engine, 'store' | 'retention'>,
  row: { scope: string; bodyHash: string; operationId: string },
): WriteStatement[] {
  const { db } = context.store;
  return [
    {
      query: db
        .deleteFrom('idempotencyKeys')
        .where('scope', '=', row.scope)
        .where('createdAt', '<', cutoff(context)),
    },
    { query: db.insertInto('idempotencyKeys').values({ ...row, createdAt: context.retention.isoNow() }) },
  ];
}

function cutoff({ retention }: Pick<Engine, 'retention'>): string {
  return new Date(retention.nowMs() - keysKeptForMs).toISOString();
}

/** Sorts the keys of objects, so that the same body always has the same hash. */
function hash(value: unknown): string {
  const text = JSON.stringify(value, (_key, member: unknown) =>
    member !== null && typeof member === 'object' && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
  return createHash('sha256').update(text).digest('hex');
}
