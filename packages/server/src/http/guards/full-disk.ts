import { ApiError, routes } from '@wcc/api';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Store } from '../../storage/store.ts';
import { isApiRequest, safeMethods } from '../request.ts';

/**
 * The requests that end access, stop work, delete, or only read. On a disk without a free byte the database holds their
 * changes in memory. All other changes are refused then, because their callers rely on durable answers.
 */
export const waysOut: ReadonlySet<string> = new Set([
  `POST ${routes.session()}`,
  `DELETE ${routes.session()}`,
  `PUT ${routes.password()}`,
  `POST ${routes.firstSignIn()}`,
  `POST ${routes.tickets()}`,
  `PATCH ${routes.users()}/:id`,
  `DELETE ${routes.tokens()}/:id`,
  `DELETE ${routes.operations()}/:id/grants/:user`,
  `DELETE ${routes.operations()}/:id/shares/:share`,
  `POST ${routes.operations()}/:id/cancel`,
  `POST ${routes.operations()}/:id/pause`,
  `DELETE ${routes.images()}/:id`,
  `DELETE ${routes.pools()}/:id/orphans/:orphan`,
  `DELETE ${routes.uploads()}/:id`,
  `DELETE ${routes.vms()}/:id`,
  `POST ${routes.vms()}/:id/shutdown`,
  `POST ${routes.vms()}/:id/power-off`,
  // These change nothing: they are POST because of their body.
  `POST ${routes.events()}`,
  `POST ${routes.images()}/:id/download`,
]);

const retryAfterS = 10;

/** Refuses changes that cannot be durable, while the database holds changes in memory. */
export function registerFullDisk(app: FastifyInstance, { store }: { store: Store }): void {
  app.addHook('onRequest', async (request) => {
    if (store.status().heldBatches === 0 || !isApiRequest(request) || isWayOut(request)) return;
    throw new ApiError('database_full', { retryAfterS });
  });
}

function isWayOut({ method, routeOptions }: FastifyRequest): boolean {
  return safeMethods.has(method) || waysOut.has(`${method} ${routeOptions.url ?? ''}`);
}
