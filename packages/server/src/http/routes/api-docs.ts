import { createOpenApiDocument } from '@wcc/api/openapi';
import { routes } from '@wcc/api';
import type { FastifyInstance } from 'fastify';
import { renderApiPage } from './api-docs/page.ts';
import { apiPageStyle } from './api-docs/style.ts';

/**
 * Serves the API's description as JSON and as a page, without sign-in, because the source is public. Created once at
 * the first request, because creating it takes a tenth of a start.
 */
export function registerApiDocs(app: FastifyInstance, { version }: { version: string }): void {
  const style = `${routes.apiDocs()}/style.css`;
  let made: { text: string; page: string } | null = null;
  const docs = (): { text: string; page: string } => {
    if (made) return made;
    const document = createOpenApiDocument(version);
    const page = renderApiPage(document, { style, document: routes.openApi() });
    return (made = { text: JSON.stringify(document), page });
  };
  app.get(routes.openApi(), (_request, reply) =>
    reply.type('application/json; charset=utf-8').send(docs().text),
  );
  app.get(routes.apiDocs(), (_request, reply) => reply.type('text/html; charset=utf-8').send(docs().page));
  app.get(style, (_request, reply) => reply.type('text/css; charset=utf-8').send(apiPageStyle));
}
