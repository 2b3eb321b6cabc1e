import { ApiError } from '@wcc/api';
import type { ImportImageInput } from '@wcc/api';
import type { Snapshot } from '@wcc/progress';
import { createOperationId } from '@wcc/progress';
import { randomBytes } from 'node:crypto';
import type { Principal } from '../../access/principal.ts';
import { assertRight } from '../../access/rules.ts';
import type { Action } from '../../operations/action.ts';
import { routeOf } from '../../operations/idempotency.ts';
import type { ImagesContext } from '../context.ts';
import { startChecked } from '../accept-with-space.ts';
import { parseSource, assertPublicAddress } from './address-rules.ts';
import type { ImportInput } from './input.ts';
import type { ImportContext } from './context.ts';

export interface ImportRequest {
  principal: Principal;
  body: ImportImageInput;
  idempotencyKey: string | null;
  retryOf: string | null;
}

/** How long the file is nobody knows yet: room is asked for when the other server has said it. */
const firstNeedsBytes = 1024 ** 2;

/** @throws ApiError `forbidden`, `import_refused`, `exists`, `no_space`; PoolError */
export async function requestImport(
  context: ImagesContext,
  action: Action,
  { principal, body, idempotencyKey, retryOf, imports }: ImportRequest & { imports: ImportContext },
): Promise<Snapshot> {
  assertRight(principal, 'image.import');
  const source = parseSource(body.url);
  assertPublicAddress(source, imports.isAllowed);
  const route = routeOf('POST /api/images/import', retryOf);
  const key = { userId: principal.userId, route, key: idempotencyKey, body };
  return context.operations.idempotency.once(key, async (remember) => {
    const pool = await poolOf(context, body.pool);
    const id = createOperationId(randomBytes);
    const made = context.numbers.take();
    const input: ImportInput = {
      poolId: pool.id,
      url: `${source.origin}${source.pathname}`,
      hasQuery: source.search !== '',
      targetId: made.id,
      targetName: body.name,
      ownerId: principal.userId,
      sha256: body.sha256 ?? null,
      format: body.format ?? null,
    };
    imports.sources.set(id, source);
    return startChecked(context, {
      id,
      action,
      principal,
      pool,
      targetName: body.name,
      needsBytes: firstNeedsBytes,
      subject: { kind: 'image', id: made.id, name: body.name },
      target: null,
      input,
      retryOf,
      statements: [made.statement, ...remember(id)],
    }).catch((error: unknown) => {
      imports.sources.delete(id);
      throw error;
    });
  });
}

function poolOf(
  { pools }: ImagesContext,
  poolId: string | undefined,
): ReturnType<ImagesContext['pools']['use']> {
  const id = poolId ?? pools.all()[0]?.id;
  if (id === undefined) throw new ApiError('not_found');
  return pools.use(id);
}
