import type { Accepted, CopyPlan, Image, ImageList, ImportFacts } from '@wcc/api';
import {
  changeImageRequest,
  convertImageRequest,
  copyImageRequest,
  copyPlanQuery,
  imageQuery,
  importFactsRequest,
  importImageRequest,
  routes,
  sampleImageRequest,
  verifyImageRequest,
} from '@wcc/api';
import type { Snapshot } from '@wcc/progress';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Principal } from '../../access/principal.ts';
import type { Right } from '../../access/rules.ts';
import type { Images } from '../../images/images.ts';
import type { Operations } from '../../operations/operations.ts';
import { assertPrincipal } from '../credentials.ts';
import { parseBody, parseQuery } from '../parse.ts';
import { abandonedSignal, idempotencyKeyOf, imageIdOf } from '../request.ts';
import type { WithId } from '../request.ts';
import { accepted } from './operations.ts';

export interface ImageRoutesDeps {
  images: Images;
  operations: Operations;
}

const one = `${routes.images()}/:id`;
const creates = <Name extends Right>(right: Name): { config: { limit: 'creation'; right: Name } } => ({
  config: { limit: 'creation', right },
});

/** Reads and changes images, and starts operations on them. */
export function registerImages(app: FastifyInstance, deps: ImageRoutesDeps): void {
  const { images } = deps;
  app.get(routes.images(), async (request): Promise<ImageList> => {
    return images.list(assertPrincipal(request), parseQuery(imageQuery, request));
  });
  app.get<WithId>(one, async (request): Promise<Image> => {
    return images.get(assertPrincipal(request), imageIdOf(request));
  });
  app.patch<WithId>(one, { config: { right: 'image.change' } }, async (request): Promise<Image> => {
    const principal = assertPrincipal(request);
    return images.change(principal, imageIdOf(request), parseBody(changeImageRequest, request));
  });
  app.get<WithId>(`${one}/copy-plan`, async (request, reply): Promise<CopyPlan> => {
    const { name } = parseQuery(copyPlanQuery, request);
    const signal = abandonedSignal(reply);
    return images.plan(assertPrincipal(request), { id: imageIdOf(request), name, signal });
  });
  registerNewImages(app, deps);
  registerFacts(app, deps);
  registerActions(app, deps);
}

/** Creates images without a source image: samples and imports. */
function registerNewImages(app: FastifyInstance, deps: ImageRoutesDeps): void {
  const { images } = deps;
  app.post(routes.sampleImage(), creates('image.make'), (request, reply) =>
    accept(deps, { request, reply }, (principal, idempotencyKey) => {
      const body = parseBody(sampleImageRequest, request);
      return images.makeSample(principal, { body, idempotencyKey });
    }),
  );
  app.post(routes.importImage(), creates('image.import'), (request, reply) =>
    accept(deps, { request, reply }, (principal, idempotencyKey) => {
      const body = parseBody(importImageRequest, request);
      return images.importUrl(principal, { body, idempotencyKey });
    }),
  );
}

/** Asks another server, for the client that waits. */
function registerFacts(app: FastifyInstance, { images }: ImageRoutesDeps): void {
  app.post(routes.importFacts(), creates('image.import'), async (request, reply): Promise<ImportFacts> => {
    const body = parseBody(importFactsRequest, request);
    return images.importFacts(assertPrincipal(request), { body, signal: abandonedSignal(reply) });
  });
}

/** Starts operations on one image. */
function registerActions(app: FastifyInstance, deps: ImageRoutesDeps): void {
  const { images } = deps;
  app.post<WithId>(`${one}/copy`, creates('image.copy'), (request, reply) =>
    accept(deps, { request, reply }, (principal, idempotencyKey) => {
      const body = parseBody(copyImageRequest, request);
      return images.copy(principal, { id: imageIdOf(request), body, idempotencyKey });
    }),
  );
  app.post<WithId>(`${one}/convert`, creates('image.convert'), (request, reply) =>
    accept(deps, { request, reply }, (principal, idempotencyKey) => {
      const body = parseBody(convertImageRequest, request);
      return images.convert(principal, { id: imageIdOf(request), body, idempotencyKey });
    }),
  );
  app.post<WithId>(`${one}/verify`, creates('image.verify'), (request, reply) =>
    accept(deps, { request, reply }, (principal, idempotencyKey) => {
      const body = parseBody(verifyImageRequest, request);
      return images.verify(principal, { id: imageIdOf(request), body, idempotencyKey });
    }),
  );
  app.delete<WithId>(one, creates('image.delete'), (request, reply) =>
    accept(deps, { request, reply }, (principal, idempotencyKey) =>
      images.remove(principal, { id: imageIdOf(request), idempotencyKey }),
    ),
  );
}

/** Starts an operation and answers 202 with it. */
async function accept(
  { operations }: ImageRoutesDeps,
  { request, reply }: { request: FastifyRequest; reply: FastifyReply },
  start: (principal: Principal, idempotencyKey: string | null) => Promise<Snapshot>,
): Promise<Accepted> {
  const principal = assertPrincipal(request);
  const snapshot = await start(principal, idempotencyKeyOf(request));
  return accepted(reply, operations.describe(snapshot, principal));
}
