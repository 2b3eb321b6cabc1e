import type { Snapshot } from '@wcc/progress';
import { createOperationId } from '@wcc/progress';
import { assertRight } from '../../access/rules.ts';
import type { OperationRequest } from '../../operations/action.ts';
import { routeOf } from '../../operations/idempotency.ts';
import type { ImagesContext } from '../context.ts';
import type { Acceptance } from '../../operations/accept.ts';
import { whileUsable } from '../use.ts';
import { readSource } from '../source.ts';
import { assertTool } from '../tools/find-tool.ts';
import { verifyAction } from './input.ts';
import type { VerifyInput } from './input.ts';

/** @throws ApiError `forbidden`, `not_found`, `image_unavailable`, `source_in_use`, `tool_missing` */
export async function requestVerification(
  context: ImagesContext,
  { principal, request, idempotencyKey, retryOf }: OperationRequest<VerifyInput['request']>,
): Promise<Snapshot> {
  const { id: sourceId, body } = request;
  assertRight(principal, 'image.verify');
  const route = routeOf(`POST /api/images/${sourceId}/verify`, retryOf);
  const key = { userId: principal.userId, route, key: idempotencyKey, body };
  return context.operations.idempotency.once(key, async (remember) => {
    const { image, pool, facts, format } = await readSource(context, { id: sourceId, principal });
    if (format === 'qcow2') assertTool('qemu-img');
    const id = createOperationId();
    const input: VerifyInput = {
      poolId: pool.id,
      sourceId,
      sourceName: image.name,
      sourceInode: image.inode,
      format,
      sizeBytes: facts.sizeBytes,
      sha256: body.sha256 ?? null,
      request,
    };
    const acceptance: Acceptance = {
      id,
      action: verifyAction,
      principal,
      subject: { kind: 'image', id: image.id, name: image.name },
      target: null,
      input,
      names: [],
      reservedBytes: 0,
      retryOf,
      statements: remember(id),
    };
    return whileUsable(context, [image.id], () => context.operations.accept(acceptance));
  });
}
