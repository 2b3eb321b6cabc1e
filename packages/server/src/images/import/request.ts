import { ApiError } from '@wcc/api';
import type { Snapshot } from '@wcc/progress';
import { createOperationId } from '@wcc/progress';
import { assertRight } from '../../access/rules.ts';
import type { OperationRequest } from '../../operations/action.ts';
import { routeOf } from '../../operations/idempotency.ts';
import type { ImagesContext } from '../context.ts';
import { acceptWithSpace } from '../publish/accept-with-space.ts';
import { parseSource, assertPublicAddress } from './address-rules.ts';
import { importAction } from './input.ts';
import type { ImportInput } from './input.ts';
import type { ImportContext } from './context.ts';
import { cancelLostImports } from './lost-rights.ts';

/** Reserved at first: the length is unknown until the other server sends it. */
const firstNeedsBytes = 1024 ** 2;

interface RequestWithContext extends OperationRequest<ImportInput['request']> {
  imports: ImportContext;
}

/** @throws ApiError `forbidden`, `import_refused`, `exists`, `no_space`; PoolError */
export async function requestImport(
  context: ImagesContext,
  { principal, request: { body }, idempotencyKey, retryOf, imports }: RequestWithContext,
): Promise<Snapshot> {
  assertRight(principal, 'image.import');
  const route = routeOf('POST /api/images/import', retryOf);
  const key = { userId: principal.userId, route, key: idempotencyKey, body };
  const accepted = await context.operations.idempotency.once(key, async (remember) => {
    const source = parseSource(body.url);
    assertPublicAddress(source, imports.isAllowed);
    const pool = await poolOf(context, body.pool);
    const id = createOperationId();
    const image = context.numbers.take();
    const url = `${source.origin}${source.pathname}`;
    const input: ImportInput = {
      poolId: pool.id,
      url,
      hasQuery: source.search !== '',
      targetId: image.id,
      targetName: body.name,
      ownerId: principal.userId,
      sha256: body.sha256 ?? null,
      format: body.format ?? null,
      request: { body: { ...body, url, pool: pool.id } },
    };
    imports.sources.set(id, source);
    return acceptWithSpace(context, {
      id,
      action: importAction,
      principal,
      pool,
      targetName: body.name,
      needsBytes: firstNeedsBytes,
      subject: { kind: 'image', id: image.id, name: body.name },
      target: null,
      input,
      retryOf,
      statements: [image.statement, ...remember(id)],
    }).catch((error: unknown) => {
      imports.sources.delete(id);
      throw error;
    });
  });
  await cancelLostImports(context, principal.userId);
  return accepted;
}

function poolOf(
  { pools }: ImagesContext,
  poolId: string | undefined,
): ReturnType<ImagesContext['pools']['use']> {
  const id = poolId ?? pools.all()[0]?.id;
  if (id === undefined) throw new ApiError('not_found');
  return pools.use(id);
}
