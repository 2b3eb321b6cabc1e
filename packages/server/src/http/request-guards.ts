import { ApiError } from '@wcc/api';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Addresses } from './addresses.ts';
import { isApiRequest } from './request.ts';

export interface HygieneDeps {
  addresses: Addresses;
  cookie: string;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Signs in: needs the exact Origin although no cookie is there yet. */
    signsIn?: boolean;
  }
}

const harmless = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Page 02, "HTTP hygiene": runs before anybody is authenticated and before any handler, on every route, the
 * unknown ones too. Same-site is not same-origin: a page on another port of localhost gets the cookie sent along.
 */
export function registerHygiene(app: FastifyInstance, { addresses, cookie }: HygieneDeps): void {
  app.addHook('onRequest', async (request) => {
    const { host, origin } = request.headers;
    if (!addresses.isHost(host)) throw new ApiError('foreign_host');
    // What a listed page may ask for has its own checks; it is looked at for its bearer secret alone.
    if (request.isForeignPage) return;
    if (isForeignFetch(request)) throw new ApiError('foreign_origin');
    if (harmless.has(request.method)) return;
    // A foreign Origin is refused whatever the credentials are; an absent one only where a cookie could stand in.
    const isOwn = addresses.isOrigin(origin, host);
    if (origin !== undefined && !isOwn) throw new ApiError('foreign_origin');
    if (!isOwn && needsOrigin(request, cookie)) throw new ApiError('foreign_origin');
  });
}

function needsOrigin(request: FastifyRequest, cookie: string): boolean {
  return request.cookies[cookie] !== undefined || request.routeOptions.config.signsIn === true;
}

/** The browser itself says that another site's or port's page asks. Absent: an old browser or a program. */
function isForeignFetch(request: FastifyRequest): boolean {
  const site = request.headers['sec-fetch-site'];
  if (site === undefined || site === 'same-origin' || site === 'none') return false;
  // A link from another page to the console is welcome; a fetch, a frame or a form of another page is not.
  const isLink =
    request.headers['sec-fetch-mode'] === 'navigate' && request.headers['sec-fetch-dest'] === 'document';
  const isPage = request.method === 'GET' && !isApiRequest(request);
  return !(isPage && isLink);
}
