import { routes } from '@wcc/api';
import type { IncomingMessage, RequestListener } from 'node:http';

const methods: ReadonlySet<string> = new Set(['PATCH', 'DELETE', 'HEAD']);

/**
 * tus, "X-HTTP-Method-Override": the Server MUST interpret its value as the request's method. Before the router,
 * and so before every check: what is asked for is what is checked. On addresses of uploads only, and only a POST
 * can be overridden, which no page of another origin sends without being asked first.
 */
export function withMethodOverride(listener: RequestListener): RequestListener {
  return (request, response) => {
    const method = request.headers['x-http-method-override'];
    if (typeof method === 'string' && methods.has(method) && isUpload(request)) request.method = method;
    listener(request, response);
  };
}

function isUpload({ method, url = '' }: IncomingMessage): boolean {
  return method === 'POST' && url.startsWith(`${routes.uploads()}/`);
}
