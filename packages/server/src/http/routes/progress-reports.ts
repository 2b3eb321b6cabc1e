import type { Accepted } from '@wcc/api';
import { endOperationRequest, publishOperationRequest, reportProgressRequest, routes } from '@wcc/api';
import type { FastifyInstance } from 'fastify';
import type { Operations } from '../../operations/operations.ts';
import { assertPrincipal } from '../credentials.ts';
import { idempotencyKeyOf } from '../request.ts';
import type { WithId } from '../request.ts';
import { accepted } from './operations.ts';
import { parseBody } from '../parse.ts';

/** Lets other programs publish operations: start, report and end them. */
export function registerProgressReports(
  app: FastifyInstance,
  { operations }: { operations: Operations },
): void {
  const { publishing } = operations;
  const one = `${routes.operations()}/:id`;
  const creates = { config: { limit: 'creation', right: 'operation.publish' } } as const;
  const reports = { sees: 'operation.publish' } as const;
  app.post(routes.operations(), creates, async (request, reply): Promise<Accepted> => {
    const principal = assertPrincipal(request);
    const idempotencyKey = idempotencyKeyOf(request);
    const body = parseBody(publishOperationRequest, request);
    const snapshot = await publishing.publish(principal, { body, idempotencyKey });
    return accepted(reply, operations.describe(snapshot, principal));
  });
  app.patch<WithId>(
    `${one}/progress`,
    { config: { isFrequent: true, ...reports } },
    async (request): Promise<Accepted> => {
      const principal = assertPrincipal(request);
      const body = parseBody(reportProgressRequest, request);
      const snapshot = await publishing.report(principal, request.params.id, body);
      return { operation: operations.describe(snapshot, principal) };
    },
  );
  app.post<WithId>(`${one}/end`, { config: reports }, async (request): Promise<Accepted> => {
    const principal = assertPrincipal(request);
    const body = parseBody(endOperationRequest, request);
    const snapshot = await publishing.end(principal, request.params.id, body);
    return { operation: operations.describe(snapshot, principal) };
  });
}
