import { ApiError, findImageNameProblem } from '@wcc/api';
import type { CopyImageInput, CopyPlan, ImageId } from '@wcc/api';
import type { Snapshot } from '@wcc/progress';
import { createOperationId } from '@wcc/progress';
import type { Principal } from '../../access/principal.ts';
import { assertRight } from '../../access/rules.ts';
import type { OperationRequest } from '../../operations/action.ts';
import { routeOf } from '../../operations/idempotency.ts';
import type { ImagesContext } from '../context.ts';
import { triesClone } from '../file-looks.ts';
import { isNameTaken } from '../names.ts';
import type { Pool } from '../pool/pools.ts';
import { measureFreeSpace } from '../space/free-space.ts';
import { readSource } from '../source.ts';
import type { Source } from '../source.ts';
import { acceptWithSpace } from '../publish/accept-with-space.ts';
import { copyAction } from './input.ts';
import type { CopyInput } from './input.ts';

/** Space for metadata: shared blocks take no space for data. */
const cloneNeedsBytes = 1024 ** 2;

/**
 * Checks everything that can be checked, then creates the operation. A refusal changes nothing.
 *
 * @throws ApiError `forbidden`, `not_found`, `exists`, `no_space`, …
 */
export async function requestCopy(
  context: ImagesContext,
  { principal, request, idempotencyKey, retryOf }: OperationRequest<CopyInput['request']>,
): Promise<Snapshot> {
  const { id: sourceId, body } = request;
  assertRight(principal, 'image.copy');
  const route = routeOf(`POST /api/images/${sourceId}/copy`, retryOf);
  const key = { userId: principal.userId, route, key: idempotencyKey, body };
  return context.operations.idempotency.once(key, async (remember) => {
    const source = await readSource(context, { id: sourceId, principal });
    const { image, pool } = source;
    const target = body.pool === undefined ? pool : await context.pools.use(body.pool);
    const clones = await decideClone(source, target, body.method);
    const id = createOperationId();
    const number = context.numbers.take();
    const needsBytes = clones ? Math.min(cloneNeedsBytes, source.facts.dataBytes) : source.facts.dataBytes;
    return acceptWithSpace(context, {
      id,
      action: copyAction,
      principal,
      pool: target,
      targetName: body.name,
      needsBytes,
      subject: { kind: 'image', id: image.id, name: image.name },
      target: { kind: 'image', id: null, name: body.name },
      input: inputOf(body, { source, target, targetId: number.id, ownerId: principal.userId }),
      retryOf,
      statements: [number.statement, ...remember(id)],
    });
  });
}

function inputOf(
  body: CopyImageInput,
  { source, target, targetId, ownerId }: { source: Source; target: Pool; targetId: number; ownerId: string },
): CopyInput {
  return {
    poolId: target.id,
    sourceId: source.image.id,
    sourcePoolId: source.pool.id,
    sourceName: source.image.name,
    format: source.format,
    virtualSizeBytes: source.image.virtualSizeBytes,
    baseId: source.image.baseId,
    targetId,
    targetName: body.name,
    ownerId,
    method: body.method,
    bytesPerSecond: body.bytesPerSecond,
    verify: body.verify,
    request: { id: source.image.id, body: { ...body, pool: target.id } },
  };
}

/** Tries to share blocks: only then does the copy need no space for its data. */
export async function decideClone(
  source: Source,
  target: Pool,
  method: CopyImageInput['method'],
): Promise<boolean> {
  if (method === 'copy') return false;
  const clones = await triesClone(source.path, target.path);
  if (method === 'clone' && !clones) throw new ApiError('clone_unsupported', { field: 'method' });
  return clones;
}

/** What the forecast of a copy is about. */
export interface PlanRequest {
  id: ImageId;
  name: string | undefined;
  /** Aborts when the caller waits no longer. */
  signal?: AbortSignal;
}

/** Estimates the space of a copy without starting it. What takes long is kept for each state of the file. */
export async function planCopy(
  context: ImagesContext,
  principal: Principal,
  { id, name, signal }: PlanRequest,
): Promise<CopyPlan> {
  const source = await readSource(context, { id, principal, signal });
  const clones = await context.looks.forecastClone(source, source.pool.path, signal);
  const { freeBytes } = await measureFreeSpace(context, source.pool);
  return {
    virtualSizeBytes: source.image.virtualSizeBytes,
    dataBytes: source.facts.dataBytes,
    needsBytes: source.facts.dataBytes,
    freeBytes,
    clonePossible: clones,
    cloneRefusal: clones ? null : 'clone_unsupported',
    nameTaken: name === undefined ? null : await isTaken(context, source.pool, name),
  };
}

/** An invalid name is never taken, and must not become a part of a path. */
async function isTaken(context: ImagesContext, pool: Pool, name: string): Promise<boolean> {
  return findImageNameProblem(name) === null && (await isNameTaken(context.store, pool, name));
}
