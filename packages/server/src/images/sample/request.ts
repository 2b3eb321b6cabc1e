import type { SampleImageInput } from '@wcc/api';
import type { Snapshot } from '@wcc/progress';
import { createOperationId } from '@wcc/progress';
import { randomBytes } from 'node:crypto';
import type { Principal } from '../../access/principal.ts';
import { assertRight } from '../../access/rules.ts';
import type { Action } from '../../operations/action.ts';
import { routeOf } from '../../operations/idempotency.ts';
import type { ImagesContext } from '../context.ts';
import { startChecked } from '../accept-with-space.ts';
import type { SampleInput } from './action.ts';

export interface SampleRequest {
  principal: Principal;
  poolId: string;
  body: SampleImageInput;
  idempotencyKey: string | null;
  retryOf: string | null;
}

/** @throws ApiError `forbidden`, `exists`, `no_space`; PoolError */
export async function requestSample(
  context: ImagesContext,
  action: Action,
  request: SampleRequest,
): Promise<Snapshot> {
  const { principal, poolId, body, idempotencyKey, retryOf } = request;
  assertRight(principal, 'image.make');
  const route = routeOf('POST /api/images/sample', retryOf);
  const key = { userId: principal.userId, route, key: idempotencyKey, body };
  return context.operations.idempotency.once(key, async (remember) => {
    const pool = await context.pools.use(poolId);
    const id = createOperationId(randomBytes);
    const made = context.numbers.take();
    const { name: targetName, sizeBytes } = body;
    const input: SampleInput = {
      poolId: pool.id,
      targetId: made.id,
      targetName,
      sizeBytes,
      ownerId: principal.userId,
    };
    return startChecked(context, {
      id,
      action,
      principal,
      pool,
      targetName,
      needsBytes: sizeBytes,
      subject: { kind: 'image', id: made.id, name: targetName },
      target: null,
      input,
      retryOf,
      statements: [made.statement, ...remember(id)],
    });
  });
}
