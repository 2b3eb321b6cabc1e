import { endpoints, largestBodyBytes } from '@wcc/api/openapi';
import type { FastifyInstance, RouteOptions } from 'fastify';
import { announcesBody } from './unread-body.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The protocol of the route asks for a content type even if the body is empty. */
    isEmptyBodyTyped?: boolean;
  }
}

/** The least limit of a JSON body. A route whose fields may be larger together has their sum. */
const leastBytes = 65_536;

/** How bodies are limited and parsed. Call it before the first route. */
export function registerRequestBodies(app: FastifyInstance): void {
  const limits = new Map(
    endpoints.flatMap(({ method, path, body }) =>
      body === undefined ? [] : [[nameOf(method, path), largestBodyBytes(body)] as const],
    ),
  );
  app.addHook('onRoute', (route: RouteOptions) => {
    const names = [route.method].flat().map((method) => nameOf(method, route.url));
    route.bodyLimit ??= Math.max(leastBytes, ...names.map((name) => limits.get(name) ?? 0));
  });
  // The type of no content says nothing, and many clients always send one.
  app.addHook('onRequest', async ({ raw, routeOptions }) => {
    if (!announcesBody(raw.headers) && routeOptions.config.isEmptyBodyTyped !== true)
      delete raw.headers['content-type'];
  });
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.removeContentTypeParser(['text/plain', 'application/json']);
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    // A chunked body shows only at its end that it is empty.
    if (body === '') done(null);
    else void parseJson(request, body as string, done);
  });
}

/** One name for the two forms of a path: `/api/images/{id}` and `/api/images/:id`. */
function nameOf(method: string, path: string): string {
  return `${method} ${path.replaceAll(/\{([^}]+)\}/g, ':$1')}`;
}
