import type { Accepted, CopyPlan, Image, ImageList } from '@wcc/api';
import { ApiError, copyImageRequest, copyPlanQuery, imageQuery, routes, sampleImageRequest } from '@wcc/api';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Images } from '../../images/images.ts';
import type { Operations } from '../../operations/operations.ts';
import { assertPrincipal } from '../credentials.ts';
import { idempotencyKeyOf } from '../idempotency-key.ts';
import { accepted } from './operations.ts';
import { parseBody, parseQuery } from '../parse.ts';

/** Images, and the actions that make new ones. */
export function registerImages(
  app: FastifyInstance,
  { images, operations }: { images: Images; operations: Operations },
): void {
  const one = `${routes.images()}/:id`;
  app.get(routes.images(), async (request): Promise<ImageList> => {
    return images.list(assertPrincipal(request), parseQuery(imageQuery, request));
  });
  app.get<WithId>(one, async (request): Promise<Image> => {
    return images.get(assertPrincipal(request), imageIdOf(request));
  });
  app.get<WithId>(`${one}/copy-plan`, async (request): Promise<CopyPlan> => {
    const { name } = parseQuery(copyPlanQuery, request);
    return images.plan(assertPrincipal(request), imageIdOf(request), name);
  });
  const creates = { config: { limit: 'creation' } } as const;
  app.post<WithId>(`${one}/copy`, creates, async (request, reply): Promise<Accepted> => {
    const principal = assertPrincipal(request);
    const idempotencyKey = idempotencyKeyOf(request);
    const body = parseBody(copyImageRequest, request);
    const order = { id: imageIdOf(request), body, idempotencyKey };
    return accepted(reply, operations.describe(await images.copy(principal, order), principal));
  });
  app.post(routes.sampleImage(), creates, async (request, reply): Promise<Accepted> => {
    const principal = assertPrincipal(request);
    const idempotencyKey = idempotencyKeyOf(request);
    const body = parseBody(sampleImageRequest, request);
    const snapshot = await images.makeSample(principal, { body, idempotencyKey });
    return accepted(reply, operations.describe(snapshot, principal));
  });
}

export interface WithId {
  Params: { id: string };
}

/** What is no number is no image. */
export function imageIdOf(request: FastifyRequest<WithId>): number {
  const { id } = request.params;
  if (!/^[1-9]\d{0,14}$/.test(id)) throw new ApiError('not_found');
  return Number(id);
}
