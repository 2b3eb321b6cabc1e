import type { Accepted, Image } from '@wcc/api';
import {
  changeImageRequest,
  convertImageRequest,
  importImageRequest,
  routes,
  verifyImageRequest,
} from '@wcc/api';
import type { Snapshot } from '@wcc/progress';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Principal } from '../../access/principal.ts';
import type { Images } from '../../images/images.ts';
import type { Operations } from '../../operations/operations.ts';
import { assertPrincipal } from '../credentials.ts';
import { idempotencyKeyOf } from '../idempotency-key.ts';
import { imageIdOf } from './images.ts';
import type { WithId } from './images.ts';
import { accepted } from './operations.ts';
import { parseBody } from '../parse.ts';

/** What is done with images beside copying: convert, verify, import, change, delete. */
export function registerImageActions(
  app: FastifyInstance,
  { images, operations }: { images: Images; operations: Operations },
): void {
  const one = `${routes.images()}/:id`;
  const creates = { config: { limit: 'creation' } } as const;
  const begin = async (
    request: FastifyRequest,
    reply: FastifyReply,
    order: (principal: Principal, idempotencyKey: string | null) => Promise<Snapshot>,
  ): Promise<Accepted> => {
    const principal = assertPrincipal(request);
    const snapshot = await order(principal, idempotencyKeyOf(request));
    return accepted(reply, operations.describe(snapshot, principal));
  };
  app.post<WithId>(`${one}/convert`, creates, (request, reply) =>
    begin(request, reply, (principal, idempotencyKey) => {
      const body = parseBody(convertImageRequest, request);
      return images.convert(principal, { id: imageIdOf(request), body, idempotencyKey });
    }),
  );
  app.post<WithId>(`${one}/verify`, creates, (request, reply) =>
    begin(request, reply, (principal, idempotencyKey) => {
      const body = parseBody(verifyImageRequest, request);
      return images.verify(principal, { id: imageIdOf(request), body, idempotencyKey });
    }),
  );
  app.delete<WithId>(one, creates, (request, reply) =>
    begin(request, reply, (principal, idempotencyKey) =>
      images.remove(principal, { id: imageIdOf(request), idempotencyKey }),
    ),
  );
  app.post(routes.importImage(), creates, (request, reply) =>
    begin(request, reply, (principal, idempotencyKey) => {
      const body = parseBody(importImageRequest, request);
      return images.importUrl(principal, { body, idempotencyKey });
    }),
  );
  app.patch<WithId>(one, async (request): Promise<Image> => {
    const principal = assertPrincipal(request);
    return images.change(principal, imageIdOf(request), parseBody(changeImageRequest, request));
  });
}
