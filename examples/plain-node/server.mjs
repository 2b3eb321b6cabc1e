// A plain Node server that shows the progress of its own job: `node server.mjs`, then http://localhost:8080
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { attachWebSocket, byTicket, createHub, createTickets } from '@wcc/progress/server';
import { exactHosts, exactOrigins, progressbar } from '@wcc/progress/server';
import { fileAt } from '../page/files.mjs';
import { sessionOf, visitorOf } from '../page/visitors.mjs';

const port = Number(process.env.PORT ?? 8080);
const [hub, tickets, origin] = [createHub(), createTickets(), `http://localhost:${port}`];

function countSheep(owner) {
  const flock = { kind: 'flock', id: 7, name: 'merino' };
  return progressbar(hub, { action: 'count_sheep', subject: flock, owner, total: 200 }, async (op) => {
    for (let sheep = 0; sheep < 200; sheep += 1) await sleep(25).then(() => op.add(1));
  });
}

async function answer(request, response) {
  const { session, user } = visitorOf(request, response);
  const asked = `${request.method} ${request.url}`;
  const file = request.method === 'GET' ? await fileAt(request.url) : null;
  if (file !== null) return response.writeHead(200, file.headers).end(file.body);
  if (asked === 'POST /jobs') countSheep(user).catch(console.error);
  if (asked === 'POST /jobs') return response.writeHead(202).end('{}');
  if (asked !== 'POST /tickets') return response.writeHead(404).end();
  const claims = { session, user, origin, purpose: 'watch', sessionVersion: 1 };
  return response.setHeader('cache-control', 'no-store').end(JSON.stringify(tickets.issue(claims)));
}
const server = createServer((request, response) => void answer(request, response));
attachWebSocket({
  hub,
  server,
  hosts: exactHosts([`localhost:${port}`]),
  origins: exactOrigins([origin]),
  authenticate: byTicket(tickets, { session: sessionOf }),
  user: (principal) => principal,
  authorize: ({ user }, _watch, operation) => operation.owner === user,
});
server.listen(port, 'localhost');
