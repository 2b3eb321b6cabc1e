import { ApiError, routes } from '@wcc/api';
import type { ImageId, VmId } from '@wcc/api';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { IncomingMessage, RequestListener } from 'node:http';

/** The methods that only read (RFC 9110, section 9.2.1). */
export const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * True for every address of the API and for the metrics, the unknown ones too. The route counts before the text
 * of the address: the router decodes `/%61pi/users`, and its target must meet the same checks.
 */
export function isApiRequest(request: FastifyRequest): boolean {
  return isApiPath(request.routeOptions.url) || isApiPath(request.url);
}

function isApiPath(path: string | undefined): boolean {
  return path?.startsWith('/api/') === true || path === routes.metrics();
}

/** The `Idempotency-Key` header: 1 to 255 printable characters; null when it is absent. */
export function idempotencyKeyOf(request: FastifyRequest): string | null {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return null;
  if (typeof key === 'string' && /^[\x21-\x7e]{1,255}$/.test(key)) return key;
  const message = 'An Idempotency-Key has 1 to 255 printable characters.';
  throw new ApiError('malformed_request', { field: 'Idempotency-Key', message });
}

/** Aborts when the client closes its connection before the answer, so that its work ends too. */
export function abandonedSignal({ raw }: FastifyReply): AbortSignal {
  const leaving = new AbortController();
  raw.once('close', () => {
    if (raw.writableFinished) return;
    const message = 'The client closed the connection before the answer.';
    leaving.abort(new ApiError('malformed_request', { message }));
  });
  return leaving.signal;
}

export interface WithId {
  Params: { id: string };
}

/** The image that the address names. @throws ApiError `not_found` for a malformed number */
export function imageIdOf({ params }: FastifyRequest<WithId>): ImageId {
  return numberOf(params.id);
}

/** The machine that the address names. @throws ApiError `not_found` for a malformed number */
export function vmIdOf({ params }: FastifyRequest<WithId>): VmId {
  return numberOf(params.id);
}

function numberOf(id: string): number {
  if (!/^[1-9]\d{0,14}$/.test(id)) throw new ApiError('not_found');
  return Number(id);
}

/** Lists the methods that an address accepts, so that a wrong method gets 405 and a wrong address 404. */
export function createMethodTable(app: FastifyInstance): (path: string) => string[] {
  const table: { pattern: RegExp; methods: string[] }[] = [];
  app.addHook('onRoute', ({ url, method }) => {
    if (!url.startsWith('/api/')) return;
    const pattern = new RegExp(`^${url.replaceAll(/:[^/]+/g, '[^/]+')}$`);
    table.push({ pattern, methods: Array.isArray(method) ? method : [method] });
  });
  return (path) => {
    const found = table.filter(({ pattern }) => pattern.test(path));
    return [...new Set(found.flatMap(({ methods }) => methods))];
  };
}

const overridable: ReadonlySet<string> = new Set(['PATCH', 'DELETE', 'HEAD']);

/**
 * tus, "X-HTTP-Method-Override": the Server MUST interpret its value as the request's method. This runs before the
 * router, so all checks see the final method. It applies to POST on addresses of uploads only; a page of another
 * origin cannot send such a POST without a preflight request.
 */
export function withMethodOverride(listener: RequestListener): RequestListener {
  return (request, response) => {
    const method = request.headers['x-http-method-override'];
    if (typeof method === 'string' && overridable.has(method) && isUploadPost(request))
      request.method = method;
    listener(request, response);
  };
}

function isUploadPost({ method, url = '' }: IncomingMessage): boolean {
  return method === 'POST' && url.startsWith(`${routes.uploads()}/`);
}
