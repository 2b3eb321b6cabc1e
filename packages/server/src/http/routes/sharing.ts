import type { CreatedShare, Grant, GrantList, ShareList } from '@wcc/api';
import { createGrantRequest, createShareRequest, routes } from '@wcc/api';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Access } from '../../access/access.ts';
import type { Principal } from '../../access/principal.ts';
import { assertRight } from '../../access/rules.ts';
import type { Operations } from '../../operations/operations.ts';
import { assertPrincipal } from '../credentials.ts';
import { parseBody } from '../parse.ts';
import type { WithId } from '../request.ts';

export interface SharingDeps {
  access: Access;
  operations: Operations;
  /** Where people open the console. */
  consoleUrl: string;
}

/** Shares one operation: grants to users, and share links. */
export function registerSharing(app: FastifyInstance, deps: SharingDeps): void {
  const { access, consoleUrl } = deps;
  const grants = `${routes.operations()}/:id/grants`;
  const shares = `${routes.operations()}/:id/shares`;
  const creates = {
    config: { limit: 'creation', sees: 'operation.watch', right: 'operation.share' },
  } as const;
  app.get<WithId>(grants, async (request): Promise<GrantList> => {
    const { id } = await assertShareable(deps, request);
    return { items: await access.grants.list(id) };
  });
  app.post<WithId>(grants, creates, async (request, reply): Promise<Grant> => {
    const { principal, id } = await assertShareable(deps, request);
    const grant = await access.grants.create(principal, id, parseBody(createGrantRequest, request));
    void reply.code(201).header('location', routes.grant(id, grant.userId));
    return grant;
  });
  app.delete<WithId & { Params: { user: string } }>(`${grants}/:user`, async (request, reply) => {
    const { principal, id } = await assertShareable(deps, request);
    await access.grants.revoke(principal, id, request.params.user);
    return reply.code(204).send();
  });
  app.get<WithId>(shares, async (request): Promise<ShareList> => {
    const { id } = await assertShareable(deps, request);
    return { items: await access.shares.list(id) };
  });
  app.post<WithId>(shares, creates, async (request, reply): Promise<CreatedShare> => {
    const { principal, id } = await assertShareable(deps, request);
    const share = await access.shares.create(principal, id, parseBody(createShareRequest, request));
    void reply.code(201).header('location', routes.share(id, share.id));
    // In the fragment, so that no browser sends it and no log contains it.
    return { ...share, link: `${consoleUrl}/shared#${share.secret}` };
  });
  app.delete<WithId & { Params: { share: string } }>(`${shares}/:share`, async (request, reply) => {
    const { principal, id } = await assertShareable(deps, request);
    await access.shares.revoke(principal, id, request.params.share);
    return reply.code(204).send();
  });
}

/** The operation, if the principal may share it. @throws ApiError `not_found`, `forbidden` */
async function assertShareable(
  { access, operations }: SharingDeps,
  request: FastifyRequest<WithId>,
): Promise<{ principal: Principal; id: string }> {
  const principal = assertPrincipal(request);
  const snapshot = await operations.get(request.params.id, principal);
  assertRight(principal, 'operation.share', access.subjectOf(principal, snapshot));
  return { principal, id: snapshot.id };
}
