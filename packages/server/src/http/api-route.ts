import { routes } from '@wcc/api';
import type { FastifyRequest } from 'fastify';

/**
 * True for every address of the API and for the metrics, the unknown ones too. The route counts before the text of the address: the router
 * decodes `/%61pi/users`, and what it reaches must meet the same checks.
 */
export function isApiRequest(request: FastifyRequest): boolean {
  return isBelow(request.routeOptions.url) || isBelow(request.url);
}

function isBelow(path: string | undefined): boolean {
  return path?.startsWith('/api/') === true || path === routes.metrics();
}
