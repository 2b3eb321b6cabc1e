// Run it twice, each sees the jobs of both: `PORT=8081 node server.mjs` and `PORT=8082 node server.mjs`
// curl -X POST localhost:8081/jobs; curl -N 'localhost:8082/progress/events?list=all'
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { createBridge, createHub, createTickets, serveProgress } from '@wcc/progress/server';
import { redisTicketStore } from './ticket-store.mjs';
import { redisTransport } from './transport.mjs';

const url = process.env.REDIS ?? 'redis://localhost:6379';
const hub = createHub();
const bridge = createBridge(hub, await redisTransport(url));
const tickets = createTickets({ store: await redisTicketStore(url) });

function countSheep() {
  return hub.run({ action: 'count_sheep', owner: 'ann', total: 200 }, async (op) => {
    for (let sheep = 0; sheep < 200 && !op.signal.aborted; sheep += 1) await sleep(100).then(() => op.add(1));
  });
}

const server = createServer((request, response) => {
  if (request.method === 'POST' && request.url === '/jobs') countSheep().catch(console.error);
  response.writeHead(request.url === '/jobs' ? 202 : 404).end();
});
serveProgress(server, {
  hub,
  tickets,
  user: () => 'ann',
  onAction: (id, verb, user) => bridge.act(id, verb, user),
});
server.listen(Number(process.env.PORT ?? 8081), 'localhost');
// The other processes show at once what this one leaves unfinished.
process.once('SIGTERM', () => void bridge.close().then(() => process.exit()));
