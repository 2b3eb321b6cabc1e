import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';

const oneYearS = 31_536_000;

/** Serves the built console. Every page address returns its document. */
export async function registerConsole(
  app: FastifyInstance,
  { directory }: { directory: string | null },
): Promise<void> {
  if (directory === null || !existsSync(join(directory, 'index.html'))) {
    app.log.warn({ directory }, 'the console is not built: only the API is served');
    return;
  }
  await app.register(fastifyStatic, {
    root: directory,
    wildcard: false,
    index: false,
    cacheControl: false,
    setHeaders: (response, path) => {
      // File names below assets/ contain a hash; browsers revalidate all other files.
      const isNamedByContent = path.startsWith(join(directory, 'assets/'));
      response.setHeader(
        'cache-control',
        isNamedByContent ? `public, max-age=${oneYearS}, immutable` : 'no-cache',
      );
    },
  });
  app.get('/', (_request, reply) => reply.sendFile('index.html'));
  app.get('/*', (request, reply) => {
    // A missing file is not a page.
    const path = request.url.split('?', 1)[0] ?? '';
    if (path.startsWith('/api/') || /\.[a-z0-9]+$/i.test(path)) return reply.callNotFound();
    return reply.sendFile('index.html');
  });
}
