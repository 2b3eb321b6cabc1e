import type { Health } from '@wcc/api';
import { ApiError, routes } from '@wcc/api';
import type { FastifyInstance } from 'fastify';
import { isApiRequest } from '../request.ts';

/** What keeps the server from its work: the code that is answered, or null when it is ready. */
export type Readiness = () => 'starting' | 'shutting_down' | 'database_unavailable' | null;

/** Nothing of the API is served while the server starts or stops: its state is not whole then. */
export function registerReadiness(app: FastifyInstance, { readiness }: { readiness: Readiness }): void {
  app.addHook('onRequest', async (request) => {
    const hindrance = readiness();
    if (hindrance === null || !isApiRequest(request)) return;
    throw new ApiError(hindrance, { retryAfterS: 1 });
  });
}

/** `ok` once everything is recovered and ready, and as long as it is; else the problem of `registerReadiness`. */
export function registerHealth(app: FastifyInstance, { version }: { version: string }): void {
  app.get(routes.health(), async (): Promise<Health> => ({ status: 'ok', version }));
}
