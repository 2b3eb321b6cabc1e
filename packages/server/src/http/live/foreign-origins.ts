import { routes } from '@wcc/api';
import type { FastifyInstance, FastifyRequest } from 'fastify';

declare module 'fastify' {
  interface FastifyRequest {
    /** A page of a configured foreign origin sends an allowed request. Its cookie is ignored. */
    isForeignPage: boolean;
  }
}

/**
 * Lets pages of configured origins show one operation. With their own bearer secret, they may create a ticket and
 * read the record; credentials of the browser are ignored (docs/security.md).
 */
export function registerForeignOrigins(
  app: FastifyInstance,
  { origins }: { origins: readonly string[] },
): void {
  const allowed = new Set(origins);
  app.decorateRequest('isForeignPage', false);
  app.addHook('onRequest', async (request, reply) => {
    const { origin } = request.headers;
    const method = methodFor(request);
    if (origin === undefined || !allowed.has(origin) || method === null) return;
    void reply.headers({ 'access-control-allow-origin': origin, vary: 'Origin' });
    if (request.method === method) {
      request.isForeignPage = true;
      return;
    }
    if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] !== method) return;
    await reply
      .code(204)
      .headers({
        'access-control-allow-methods': method,
        'access-control-allow-headers': 'authorization, content-type',
        'access-control-max-age': '600',
      })
      .send();
  });
}

/** The one method that a foreign page may use at this address. */
function methodFor({ url }: FastifyRequest): 'GET' | 'POST' | null {
  const path = url.split('?', 1)[0] ?? '';
  if (path === routes.tickets()) return 'POST';
  return /^\/api\/operations\/[a-z2-7]{26}$/.test(path) ? 'GET' : null;
}
