import { createOpenApiDocument } from '@wcc/api/openapi';
import { routes } from '@wcc/api';
import type { FastifyInstance } from 'fastify';
import { renderApiPage } from './api-docs/page.ts';
import { apiPageStyle } from './api-docs/style.ts';

/**
 * Serves the API's description as JSON and as a page, without sign-in, because the source is public. Created once at
 * the start.
 */
export function registerApiDocs(app: FastifyInstance, { version }: { version: string }): void {
  const document = createOpenApiDocument(version);
  const text = JSON.stringify(document);
  const style = `${routes.apiDocs()}/style.css`;
  const page = renderApiPage(document, { style, document: routes.openApi() });
  app.get(routes.openApi(), (_request, reply) => reply.type('application/json; charset=utf-8').send(text));
  app.get(routes.apiDocs(), (_request, reply) => reply.type('text/html; charset=utf-8').send(page));
  app.get(style, (_request, reply) => reply.type('text/css; charset=utf-8').send(apiPageStyle));
}
