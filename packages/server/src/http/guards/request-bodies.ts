import type { IncomingMessage } from 'node:http';
import { ApiError } from '@wcc/api';
import { endpoints, largestBodyBytes } from '@wcc/api/openapi';
import type { FastifyInstance, RouteOptions } from 'fastify';
import { isBodyStreamed } from './streamed-body.ts';
import { hasBody } from '../../uploads/headers.ts';

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
  app.addHook('preParsing', async (request) => {
    const { raw, method } = request;
    // No parser reads the body of GET and HEAD.
    if (method === 'GET' || method === 'HEAD' || isBodyStreamed(request)) return;
    if (raw.headers['transfer-encoding'] !== undefined && (await isEmptyStream(raw)))
      delete raw.headers['transfer-encoding'];
    // The type of no content says nothing, and many clients always send one.
    if (!hasBody(raw)) delete raw.headers['content-type'];
  });
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.removeContentTypeParser(['text/plain', 'application/json']);
  app.addContentTypeParser('application/json', { parseAs: 'string' }, parseJson);
}

/**
 * Whether a chunked body has no byte, which only its end shows. Other bytes stay in the stream.
 *
 * @throws ApiError `malformed_request` when the connection ends before the body does
 */
async function isEmptyStream(raw: IncomingMessage): Promise<boolean> {
  await new Promise<void>((resolve) => {
    const settle = (): void => {
      raw.off('readable', settle).off('end', settle).off('close', settle);
      resolve();
    };
    raw.on('readable', settle).on('end', settle).on('close', settle);
    if (raw.destroyed) settle();
  });
  if (raw.readableLength > 0) return false;
  if (!raw.complete) throw new ApiError('malformed_request');
  // The next request of the connection waits for the end of this stream.
  raw.resume();
  return true;
}

/** One name for the two forms of a path: `/api/images/{id}` and `/api/images/:id`. */
function nameOf(method: string, path: string): string {
  return `${method} ${path.replaceAll(/\{([^}]+)\}/g, ':$1')}`;
}
