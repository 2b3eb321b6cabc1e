import type { Accepted } from '@wcc/api';
import { endOperationRequest, publishOperationRequest, reportProgressRequest, routes } from '@wcc/api';
import type { FastifyInstance } from 'fastify';
import type { Publishing } from '../operations/published/publishing.ts';
import { requirePrincipal } from './credentials.ts';
import { idempotencyKeyOf } from './idempotency-key.ts';
import { accepted, withMay } from './operations.ts';
import { parseBody } from './parse.ts';

/** Other programs report their own operations here: make, report, end. */
export function registerPublish(app: FastifyInstance, { publishing }: { publishing: Publishing }): void {
  const one = `${routes.operations()}/:id`;
  const creates = { config: { limit: 'creation' } } as const;
  app.post(routes.operations(), creates, async (request, reply): Promise<Accepted> => {
    const principal = requirePrincipal(request);
    const idempotencyKey = idempotencyKeyOf(request);
    const body = parseBody(publishOperationRequest, request);
    return accepted(reply, principal, await publishing.publish(principal, { body, idempotencyKey }));
  });
  app.patch<WithId>(
    `${one}/progress`,
    { config: { isFrequent: true } },
    async (request): Promise<Accepted> => {
      const principal = requirePrincipal(request);
      const body = parseBody(reportProgressRequest, request);
      const snapshot = await publishing.report(principal, request.params.id, body);
      return { operation: withMay(principal, snapshot) };
    },
  );
  app.post<WithId>(`${one}/end`, async (request): Promise<Accepted> => {
    const principal = requirePrincipal(request);
    const body = parseBody(endOperationRequest, request);
    const snapshot = await publishing.end(principal, request.params.id, body);
    return { operation: withMay(principal, snapshot) };
  });
}

interface WithId {
  Params: { id: string };
}
