import type { Accepted, Operation, OperationList, OperationLog } from '@wcc/api';
import { operationQuery, routes } from '@wcc/api';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Operations } from '../../operations/operations.ts';
import { assertPrincipal, assertRequestRight } from '../credentials.ts';
import { idempotencyKeyOf } from '../request.ts';
import type { WithId } from '../request.ts';
import { parseQuery } from '../parse.ts';

/** Reads and controls operations. The routes of images, machines and uploads start them. */
export function registerOperations(app: FastifyInstance, { operations }: { operations: Operations }): void {
  const one = `${routes.operations()}/:id`;
  app.get(routes.operations(), async (request): Promise<OperationList> => {
    const principal = assertRequestRight(request, 'operation.list');
    const page = await operations.list(parseQuery(operationQuery, request), principal);
    return { ...page, items: page.items.map((snapshot) => operations.describe(snapshot, principal)) };
  });
  app.get<WithId>(one, async (request): Promise<Operation> => {
    const principal = assertPrincipal(request);
    return operations.describe(await operations.get(request.params.id, principal), principal);
  });
  app.get<WithId>(`${one}/log`, async (request): Promise<OperationLog> => {
    const principal = assertPrincipal(request);
    return { items: await operations.log(request.params.id, principal) };
  });
  for (const verb of ['cancel', 'pause', 'resume'] as const) {
    app.post<WithId>(`${one}/${verb}`, async (request, reply): Promise<Accepted> => {
      const principal = assertPrincipal(request);
      const snapshot = await operations[verb](request.params.id, principal);
      return accepted(reply, operations.describe(snapshot, principal));
    });
  }
  app.post<WithId>(`${one}/retry`, { config: { limit: 'creation' } }, async (request, reply) => {
    const principal = assertPrincipal(request);
    const key = idempotencyKeyOf(request);
    const snapshot = await operations.retry(request.params.id, principal, key);
    return accepted(reply, operations.describe(snapshot, principal));
  });
}

/** Answers 202 with the record and its address. */
export function accepted(reply: FastifyReply, operation: Operation): Accepted {
  void reply.code(202).header('location', routes.operation(operation.id));
  return { operation };
}
