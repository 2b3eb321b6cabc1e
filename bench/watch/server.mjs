// The server of one round: `server.mjs SUBJECT WATCHERS`. Sends its port to the parent process, publishes on request,
// then sends its costs. Publishes open-loop: a late event does not delay the next one.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { createPayload } from './payload.mjs';
import { subjects } from './subjects.mjs';

const sampleMs = 100;
const afterEndMs = 1000;
const bytesPerStep = 1_048_576;
const [name, watchers] = process.argv.slice(2);

const server = createServer();
const publish = subjects[name].start(server, { watchers: Number(watchers) });
const { id, record } = createPayload();
publish(record(0));
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () =>
  process.send({ port: server.address().port, id }),
);
process.on('message', ({ hz, ms }) => void run(hz, ms).then((costs) => process.send(costs)));
process.on('disconnect', () => process.exit());

/** @returns the costs from the first event to one second after the end, with the peak memory above the start */
async function run(hz, ms) {
  const memory = watchMemory();
  const cpu = process.cpuUsage();
  const late = await publishAll(hz, ms);
  const endedAtMs = Date.now();
  publish(record((late.length + 1) * bytesPerStep, 'succeeded'));
  await sleep(afterEndMs);
  const { user, system } = process.cpuUsage(cpu);
  return {
    endedAtMs,
    cpuMs: (user + system) / 1000,
    eventsRan: late.length / ((hz * ms) / 1000 - 1),
    eventLateMs: late.toSorted((a, b) => a - b)[Math.floor(late.length * 0.99)],
    ...memory.stop(),
  };
}

/** @returns the delay of each event, in milliseconds */
async function publishAll(hz, ms) {
  const late = [];
  const startedMs = performance.now();
  for (let count = 1; count < (hz * ms) / 1000; count += 1) {
    const dueMs = startedMs + (count * 1000) / hz;
    const waitMs = dueMs - performance.now();
    // A late publisher still lets the event loop run between events.
    await (waitMs > 0 ? sleep(waitMs) : new Promise((resolve) => setImmediate(resolve)));
    if (performance.now() - startedMs > ms) break;
    late.push(performance.now() - dueMs);
    publish(record(late.length * bytesPerStep));
  }
  return late;
}

function watchMemory() {
  const before = memoryNow();
  const most = { ...before };
  const timer = setInterval(() => {
    const now = memoryNow();
    for (const key of Object.keys(most)) most[key] = Math.max(most[key], now[key]);
  }, sampleMs);
  return {
    stop: () => {
      clearInterval(timer);
      return {
        rssMiB: (most.rss - before.rss) / 2 ** 20,
        socketMiB: (most.socket - before.socket) / 2 ** 20,
      };
    },
  };
}

/** In bytes. The socket memory is that of the whole machine. */
function memoryNow() {
  const [, pages] = /^TCP:.* mem (\d+)$/m.exec(readFileSync('/proc/net/sockstat', 'utf8'));
  return { rss: process.memoryUsage.rss(), socket: Number(pages) * 4096 };
}
