import type { Snapshot } from '@wcc/progress';
import { createOperationId } from '@wcc/progress';
import { assertRight } from '../../access/rules.ts';
import type { OperationRequest } from '../../operations/action.ts';
import { routeOf } from '../../operations/idempotency.ts';
import type { ImagesContext } from '../context.ts';
import { acceptWithSpace } from '../publish/accept-with-space.ts';
import { sampleAction } from './input.ts';
import type { SampleInput } from './input.ts';

/** @throws ApiError `forbidden`, `exists`, `no_space`; PoolError */
export async function requestSample(
  context: ImagesContext,
  { principal, request, idempotencyKey, retryOf }: OperationRequest<SampleInput['request']>,
): Promise<Snapshot> {
  const { poolId, body } = request;
  assertRight(principal, 'image.make');
  const route = routeOf('POST /api/images/sample', retryOf);
  const key = { userId: principal.userId, route, key: idempotencyKey, body };
  return context.operations.idempotency.once(key, async (remember) => {
    const pool = await context.pools.use(poolId);
    const id = createOperationId();
    const image = context.numbers.take();
    const { name: targetName, sizeBytes } = body;
    const input: SampleInput = {
      poolId: pool.id,
      targetId: image.id,
      targetName,
      sizeBytes,
      ownerId: principal.userId,
      request,
    };
    return acceptWithSpace(context, {
      id,
      action: sampleAction,
      principal,
      pool,
      targetName,
      needsBytes: sizeBytes,
      subject: { kind: 'image', id: image.id, name: targetName },
      target: null,
      input,
      retryOf,
      statements: [image.statement, ...remember(id)],
    });
  });
}
