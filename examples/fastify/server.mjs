// A Fastify server that shows the progress of its own job: `node server.mjs`, then http://localhost:8080
import { setTimeout as sleep } from 'node:timers/promises';
import { attachWebSocket, byTicket, createHub, createTickets } from '@wcc/progress/server';
import { exactHosts, exactOrigins, progressbar } from '@wcc/progress/server';
import { fastify } from 'fastify';
import { fileAt } from '../page/files.mjs';
import { sessionOf, visitorOf } from '../page/visitors.mjs';

const port = Number(process.env.PORT ?? 8080);
const origin = `http://localhost:${port}`;
const hub = createHub();
const tickets = createTickets();
const app = fastify();

app.post('/jobs', async (request, reply) => {
  const { user: owner } = visitorOf(request.raw, reply.raw);
  const flock = { kind: 'flock', id: 7, name: 'merino' };
  // Not awaited: the answer confirms the start, and the bar shows the progress and the end.
  progressbar(hub, { action: 'count_sheep', subject: flock, owner, total: 200 }, async (op) => {
    for (let sheep = 0; sheep < 200; sheep += 1) await sleep(25).then(() => op.add(1));
  }).catch((error) => app.log.error(error));
  return reply.code(202).send({});
});

app.post('/tickets', (request, reply) => {
  const { session, user } = visitorOf(request.raw, reply.raw);
  return reply
    .header('cache-control', 'no-store')
    .send(tickets.issue({ session, user, origin, purpose: 'watch', sessionVersion: 1 }));
});

app.get('/*', async (request, reply) => {
  visitorOf(request.raw, reply.raw);
  const file = await fileAt(request.url);
  return file === null ? reply.code(404).send() : reply.headers(file.headers).send(file.body);
});

attachWebSocket({
  hub,
  server: app.server,
  hosts: exactHosts([`localhost:${port}`]),
  origins: exactOrigins([origin]),
  authenticate: byTicket(tickets, { session: sessionOf }),
  user: (principal) => principal,
  authorize: ({ user }, _watch, operation) => operation.owner === user,
});
await app.listen({ port, host: 'localhost' });
