import type { Accepted, Operation, OperationList, OperationLog } from '@wcc/api';
import { operationQuery, routes } from '@wcc/api';
import type { Snapshot } from '@wcc/progress';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Principal } from '../access/principal.ts';
import { mayOperate } from '../operations/may.ts';
import type { Operations } from '../operations/operations.ts';
import { requirePrincipal, requireRight } from './credentials.ts';
import { idempotencyKeyOf } from './idempotency-key.ts';
import { parseQuery } from './parse.ts';

/** Reading and controlling operations. The server's own are made on the resources that they are about. */
export function registerOperations(app: FastifyInstance, { operations }: { operations: Operations }): void {
  const one = `${routes.operations()}/:id`;
  app.get(routes.operations(), async (request): Promise<OperationList> => {
    const principal = requireRight(request, 'operation.list');
    const page = await operations.list(parseQuery(operationQuery, request), principal);
    return { ...page, items: page.items.map((snapshot) => withMay(principal, snapshot)) };
  });
  app.get<WithId>(one, async (request): Promise<Operation> => {
    const principal = requirePrincipal(request);
    return withMay(principal, await operations.get(request.params.id, principal));
  });
  app.get<WithId>(`${one}/log`, async (request): Promise<OperationLog> => {
    const principal = requirePrincipal(request);
    return { items: await operations.log(request.params.id, principal) };
  });
  for (const verb of ['cancel', 'pause', 'resume'] as const) {
    app.post<WithId>(`${one}/${verb}`, async (request, reply): Promise<Accepted> => {
      const principal = requirePrincipal(request);
      return accepted(reply, principal, await operations[verb](request.params.id, principal));
    });
  }
  app.post<WithId>(`${one}/retry`, { config: { limit: 'creation' } }, async (request, reply) => {
    const principal = requirePrincipal(request);
    const key = idempotencyKeyOf(request);
    return accepted(reply, principal, await operations.retry(request.params.id, principal, key));
  });
}

interface WithId {
  Params: { id: string };
}

/** The snapshot, and what this principal may do with it. */
export function withMay(principal: Principal, snapshot: Snapshot): Operation {
  return { ...snapshot, may: mayOperate(principal, snapshot) };
}

/** `202` with the record and where it is to be found. */
export function accepted(reply: FastifyReply, principal: Principal, snapshot: Snapshot): Accepted {
  void reply.code(202).header('location', routes.operation(snapshot.id));
  return { operation: withMay(principal, snapshot) };
}
