// A Fastify server that shows the progress of its own job: `node server.mjs`, then http://localhost:8080
import { createHub, serveProgress } from '@wcc/progress/server';
import { fastify } from 'fastify';
import { fileAt } from '../page/files.mjs';
import { countSheep } from '../page/sheep.mjs';
import { visitorOf, welcome } from '../page/visitors.mjs';

const hub = createHub();
const app = fastify();

app.post('/jobs', async (request, reply) => {
  const { id: owner } = welcome(request.raw, reply.raw);
  // Not awaited: the answer confirms the start, and the bar shows the progress and the end.
  countSheep(hub, owner).catch((error) => app.log.error(error));
  return reply.code(202).send();
});

app.get('/*', async (request, reply) => {
  welcome(request.raw, reply.raw);
  const file = await fileAt(request.url);
  return file === null ? reply.code(404).send() : reply.headers(file.headers).send(file.body);
});

serveProgress(app.server, { hub, user: visitorOf, onAction: (id) => hub.abort(id) });
await app.listen({ port: Number(process.env.PORT ?? 8080), host: 'localhost' });
