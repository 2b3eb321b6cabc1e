import { ApiError } from '@wcc/api';
import { endpoints } from '@wcc/api/openapi';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { couldEver } from '../../access/rules.ts';
import type { Right } from '../../access/rules.ts';
import { assertPrincipal } from '../credentials.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The right without which no request of this route can succeed, whatever it is about. */
    right?: Right;
    /** The right to see such things at all. Without it, the route answers `not_found`. */
    sees?: Right;
  }
}

/**
 * Refuses callers before wcc reads or parses their body: without credentials on every endpoint that is described
 * as signed-in, and without the right that the route names. Handlers check the rights on the thing itself.
 */
export function registerEntryGuard(app: FastifyInstance): void {
  // An upgrade has its own checks, and a plain request to its address learns about the upgrade first.
  const signedIn = endpoints.filter(
    // A ticket is in the body; `registerFormTickets` asks for it.
    (each) => each.signedIn !== 'none' && each.signedIn !== 'ticket' && each.answer.status !== 101,
  );
  const describedOf = new Map(signedIn.map((endpoint) => [`${endpoint.method} ${endpoint.path}`, endpoint]));
  app.addHook('onRequest', async (request) => {
    const { right, sees } = request.routeOptions.config;
    const described = describedOf.get(describedName(request));
    if (described === undefined && right === undefined) return;
    const principal = assertPrincipal(request);
    if (described?.signedIn === 'session' && described.body !== undefined && principal.kind !== 'session')
      throw new ApiError('forbidden', { hint: 'Sign in with a password; a token cannot do this.' });
    if (sees !== undefined && !couldEver(principal, sees)) throw new ApiError('not_found');
    if (right !== undefined && !couldEver(principal, right)) throw new ApiError('forbidden');
  });
}

/** The endpoint as the description of the API names it, e.g. `GET /api/images/{id}`. */
function describedName({ method, routeOptions }: FastifyRequest): string {
  return `${method} ${(routeOptions.url ?? '').replaceAll(/:([^/]+)/g, '{$1}')}`;
}
