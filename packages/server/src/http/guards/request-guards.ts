import { ApiError } from '@wcc/api';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Addresses } from '../addresses.ts';
import { isApiRequest, safeMethods } from '../request.ts';
import type { SessionCookie } from '../session-cookie.ts';

export interface RequestGuardDeps {
  addresses: Addresses;
  cookie: SessionCookie;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route signs in, so it needs the exact Origin even without a cookie. */
    signsIn?: boolean;
  }
}

/**
 * Checks Host, Origin and Sec-Fetch-Site on every route, including unknown ones, before authentication. Same-site
 * is not same-origin: the browser sends the cookie also for a page on another port of localhost.
 */
export function registerRequestGuards(app: FastifyInstance, { addresses, cookie }: RequestGuardDeps): void {
  app.addHook('onRequest', async (request) => {
    const { host, origin } = request.headers;
    if (!addresses.isHost(host)) throw new ApiError('foreign_host');
    // Requests of configured foreign origins have their own checks and use only their bearer secret.
    if (request.isForeignPage) return;
    if (isForeignFetch(request)) throw new ApiError('foreign_origin');
    if (safeMethods.has(request.method)) return;
    // A foreign Origin is always refused; a missing one only if the request could use a cookie.
    const isOwn = addresses.isOrigin(origin, host);
    if (origin !== undefined && !isOwn) throw new ApiError('foreign_origin');
    if (!isOwn && needsOrigin(request, cookie)) throw new ApiError('foreign_origin');
  });
}

function needsOrigin(request: FastifyRequest, cookie: SessionCookie): boolean {
  return cookie.valuesOf(request.headers).length > 0 || request.routeOptions.config.signsIn === true;
}

/** The browser reports a request of another site or port. No header: an old browser or a program. */
function isForeignFetch(request: FastifyRequest): boolean {
  const site = request.headers['sec-fetch-site'];
  if (site === undefined || site === 'same-origin' || site === 'none') return false;
  // Links from other sites to the console are allowed; fetches, frames and forms are not.
  const isLink =
    request.headers['sec-fetch-mode'] === 'navigate' && request.headers['sec-fetch-dest'] === 'document';
  const isPage = request.method === 'GET' && !isApiRequest(request);
  return !(isPage && isLink);
}
