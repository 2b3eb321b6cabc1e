import { ApiError } from '@wcc/api';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Access } from '../access/access.ts';
import type { Principal } from '../access/principal.ts';
import type { Right } from '../access/rules.ts';
import { assertRight } from '../access/rules.ts';
import { isApiRequest } from './request.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The authenticated caller; null: none. */
    principal: Principal | null;
  }
}

/** The prefix binds the cookie to this host and to https. Plain http on loopback cannot use it (docs/security.md). */
export function cookieName(secure: boolean): string {
  return secure ? '__Host-wcc_sid' : 'wcc_sid';
}

/** The secret of an `Authorization: Bearer` header, or null. */
export function bearerOf(header: string | undefined): string | null {
  return /^Bearer ([\w\-.~+/]+=*)$/i.exec(header ?? '')?.[1] ?? null;
}

/** Authenticates requests to the API. A bearer token takes precedence over a cookie. */
export function registerCredentials(
  app: FastifyInstance,
  { access, cookie }: { access: Access; cookie: string },
): void {
  app.decorateRequest('principal', null);
  app.addHook('onRequest', async (request) => {
    if (!isApiRequest(request)) return;
    const { authorization } = request.headers;
    if (authorization !== undefined) {
      const secret = bearerOf(authorization);
      request.principal = secret === null ? null : await access.findBearer(secret, request.clientAddress);
      return;
    }
    const secret = request.cookies[cookie];
    if (secret !== undefined && !request.isForeignPage)
      request.principal = await access.sessions.find(secret, request.clientAddress);
  });
}

/** @throws ApiError `unauthenticated` */
export function assertPrincipal(request: FastifyRequest): Principal {
  if (!request.principal) throw new ApiError('unauthenticated');
  return request.principal;
}

/** The principal, if it has the right. @throws ApiError `unauthenticated`, `forbidden` */
export function assertRequestRight(
  request: FastifyRequest,
  right: Right,
  subject?: { owner: string | null },
): Principal {
  const principal = assertPrincipal(request);
  assertRight(principal, right, subject);
  return principal;
}
