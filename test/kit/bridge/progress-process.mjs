// One of several server processes with a hub, a bridge and `serveProgress`. Its argument is JSON: `redis` (URL) or none
// for `node:cluster`, `loss`, the share of messages that it loses, and whether the primary `passesOn` messages. Prints
// its port.
import cluster from 'node:cluster';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  clusterTransport,
  createBridge,
  createHub,
  createTickets,
  serveProgress,
} from '@wcc/progress/server';
import { redisTicketStore } from '../../../packages/progress/examples/redis/ticket-store.mjs';
import { redisTransport } from '../../../packages/progress/examples/redis/transport.mjs';

const { redis, loss = 0, workers = 0, passesOn = true } = JSON.parse(process.argv[2] ?? '{}');

if (cluster.isPrimary && workers > 0) runPrimary();
else await runServer();

/** Forks the workers and prints the messages that they send: their ports. */
function runPrimary() {
  if (passesOn) clusterTransport();
  cluster.on('message', (_worker, message) => {
    if (typeof message === 'object' && 'port' in message)
      process.stdout.write(`${JSON.stringify(message)}\n`);
  });
  for (let index = 0; index < workers; index += 1) cluster.fork();
}

async function runServer() {
  const lost = { messages: 0, errors: [] };
  const onError = (error, { stage }) => lost.errors.push(`${stage}: ${error}`);
  const hub = createHub({ onError });
  const bridge = createBridge(hub, await lossyTransport(lost), { onError });
  const store = redis === undefined ? bridge.tickets : await redisTicketStore(redis);
  const server = createServer((request, response) => void answer(request, response));
  const served = serveProgress(server, {
    hub,
    tickets: createTickets({ store }),
    user: ({ headers }) => headers.authorization?.replace('Bearer ', '') ?? null,
    canWatch: () => true,
    onAction: (id, verb, user) => bridge.act(id, verb, user),
    onError,
  });
  server.listen(0, '127.0.0.1', () => {
    const started = { port: server.address().port, pid: process.pid };
    if (cluster.isWorker) process.send(started);
    else process.stdout.write(`${JSON.stringify(started)}\n`);
  });
  process.once('SIGTERM', () => void bridge.close().then(() => process.exit()));

  async function answer(request, response) {
    const [, name, id] = new URL(request.url, 'http://localhost').pathname.split('/');
    if (name === 'start') {
      let body = '';
      for await (const chunk of request) body += chunk;
      for (const operation of JSON.parse(body)) run(hub, operation).catch(() => undefined);
      return response.writeHead(202).end(String(process.pid));
    }
    const facts = { connections: served.connections, processes: bridge.processes, ...lost };
    return response.end(JSON.stringify(name === 'snapshot' ? (hub.get(id) ?? null) : facts));
  }
}

/** Counts the messages that it loses in `lost`. */
async function lossyTransport(lost) {
  const inner = redis === undefined ? clusterTransport() : await redisTransport(redis);
  return {
    publish: (message) => inner.publish(message),
    subscribe: (receive) =>
      inner.subscribe((message) => {
        if (Math.random() < loss) lost.messages += 1;
        else receive(message);
      }),
  };
}

/** Runs an operation as a request describes it. */
function run(hub, { id, owner, total, stepMs, end }) {
  return hub.run({ id, action: 'count', owner, total }, async (op) => {
    for (let done = 0; done < total; done += 1) {
      op.signal.throwIfAborted();
      await sleep(stepMs);
      op.add(1);
    }
    if (end === 'fail') throw Object.assign(new Error(`${id} has failed.`), { code: 'failed_on_purpose' });
    op.succeed({ kind: 'count', id: total });
  });
}
