import type { ErrorCode, Health } from '@wcc/api';
import { ApiError, routes } from '@wcc/api';
import type { FastifyInstance } from 'fastify';
import { isApiRequest } from '../request.ts';

/**
 * What the server does now. While it is `starting`, requests are held and none arrives here; while it is
 * `stopping` or the database is away, the API answers 503.
 */
export type ServerState = 'starting' | 'ready' | 'stopping' | 'database_unavailable';

const problems = {
  starting: 'starting',
  stopping: 'shutting_down',
  database_unavailable: 'database_unavailable',
} as const satisfies Record<Exclude<ServerState, 'ready'>, ErrorCode>;

/** Refuses all requests to the API unless the server is ready. */
export function registerReadiness(app: FastifyInstance, deps: { state: () => ServerState }): void {
  app.addHook('onRequest', async (request) => {
    const state = deps.state();
    if (state === 'ready' || !isApiRequest(request)) return;
    throw new ApiError(problems[state], { retryAfterS: 1 });
  });
}

/** Answers `ok` when the server is ready; else {@link registerReadiness} answers. */
export function registerHealth(app: FastifyInstance, { version }: { version: string }): void {
  app.get(routes.health(), async (): Promise<Health> => ({ status: 'ok', version }));
}
