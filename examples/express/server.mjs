// An Express server that shows the progress of its own job: `node server.mjs`, then http://localhost:8080
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { attachWebSocket, byTicket, createHub, createTickets } from '@wcc/progress/server';
import { exactHosts, exactOrigins, progressbar, serveEvents } from '@wcc/progress/server';
import express from 'express';
import { policy } from '../page/files.mjs';
import { sessionOf, visitorOf } from '../page/visitors.mjs';

const port = Number(process.env.PORT ?? 8080);
const origin = `http://localhost:${port}`;
const hub = createHub();
const tickets = createTickets();
const rules = {
  hub,
  user: (principal) => principal,
  authorize: ({ user }, _watch, operation) => operation.owner === user,
};
const app = express();

app.use((request, response, next) => {
  response.locals.visitor = visitorOf(request, response);
  response.setHeader('content-security-policy', policy);
  next();
});
app.use(express.static(fileURLToPath(new URL('../page', import.meta.url))));
app.use('/progress', express.static(fileURLToPath(new URL('../', import.meta.resolve('@wcc/progress')))));

app.post('/jobs', (_request, response) => {
  const { user: owner } = response.locals.visitor;
  const flock = { kind: 'flock', id: 7, name: 'merino' };
  // Not awaited: the answer confirms the start, and the bar shows the progress and the end.
  progressbar(hub, { action: 'count_sheep', subject: flock, owner, total: 200 }, async (op) => {
    response.status(202).json({ id: op.id });
    for (let sheep = 0; sheep < 200; sheep += 1) await sleep(25).then(() => op.add(1));
  }).catch(console.error);
});

app.post('/tickets', (_request, response) => {
  const { session, user } = response.locals.visitor;
  response.setHeader('cache-control', 'no-store');
  response.json(tickets.issue({ session, user, origin, purpose: 'watch', sessionVersion: 1 }));
});

// An event stream, e.g. for curl: `curl -N -b "sid=…" http://localhost:8080/jobs/<id>/events`
app.get('/jobs/:id/events', (request, response) => {
  const principal = { ...response.locals.visitor, expiresAtMs: null };
  return serveEvents(request, response, { ...rules, principal, operation: request.params.id });
});

const server = app.listen(port, 'localhost');
attachWebSocket({
  ...rules,
  server,
  hosts: exactHosts([`localhost:${port}`]),
  origins: exactOrigins([origin]),
  authenticate: byTicket(tickets, { session: sessionOf }),
});
