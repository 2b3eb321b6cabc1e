import type { CreatedToken, TokenList } from '@wcc/api';
import { createTokenRequest, routes, tokenQuery } from '@wcc/api';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Access } from '../../access/access.ts';
import type { Principal } from '../../access/principal.ts';
import type { Right } from '../../access/rules.ts';
import { assertRight } from '../../access/rules.ts';
import { assertPrincipal, assertRequestRight } from '../credentials.ts';
import { parseBody, parseQuery } from '../parse.ts';

/** Bearer tokens: the user's own tokens, and all tokens for administrators. */
export function registerTokens(app: FastifyInstance, { access }: { access: Access }): void {
  app.get(routes.tokens(), async (request): Promise<TokenList> => {
    const principal = assertOwnRight(request, 'token.see');
    const { owner } = parseQuery(tokenQuery, request);
    if (owner === 'all') assertRight(principal, 'token.see', { owner: null });
    return { items: await access.tokens.list(principal, owner) };
  });
  app.post(
    routes.tokens(),
    { config: { limit: 'creation', right: 'token.manage' } },
    async (request, reply): Promise<CreatedToken> => {
      const principal = assertOwnRight(request, 'token.manage');
      const token = await access.tokens.create(principal, parseBody(createTokenRequest, request));
      void reply.code(201).header('location', routes.token(token.id));
      return token;
    },
  );
  app.delete<{ Params: { id: string } }>(`${routes.tokens()}/:id`, async (request, reply) => {
    await access.tokens.revoke(assertOwnRight(request, 'token.manage'), request.params.id);
    return reply.code(204).send();
  });
}

function assertOwnRight(request: FastifyRequest, right: Right): Principal {
  return assertRequestRight(request, right, { owner: assertPrincipal(request).userId });
}
