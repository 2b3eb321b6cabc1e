// The watchers of one round, in a process on its own core. Receives the connections to open, reports `ready` when all
// watch, and measures from `measure` to `report`.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { RawClient } from './raw-client.mjs';

const inFlight = 200;
const sampleMs = 50;
const stepMs = 20;
const maxMs = 600_000;

const clients = [];
const known = new Map();
const delay = monitorEventLoopDelay({ resolution: 10 });
let staleness = new Uint32Array(maxMs);
let cpu;
let timer;
/** Delay of the readers with limited speed, by speed and second. */
let behind = {};

function stalenessOf(client, nowMs) {
  let atMs = known.get(client.at);
  if (atMs === undefined) known.set(client.at, (atMs = Date.parse(client.at)));
  return Math.min(maxMs - 1, Math.max(0, nowMs - atMs));
}

async function open(options) {
  const { reading, stalled, slow = [] } = options;
  // Stalled watchers are spread among the others.
  const modes = [
    ...Array.from({ length: reading + stalled }, (_, index) =>
      stalled > 0 && index % Math.ceil((reading + stalled) / stalled) === 0 ? 'stall' : 'read',
    ),
    ...slow,
  ];
  let ready = 0;
  for (const mode of modes) {
    while (clients.length - ready >= inFlight) await sleep(2);
    clients.push(new RawClient({ ...options, mode, stepMs, onReady: () => (ready += 1) }));
  }
  while (ready < modes.length) await sleep(5);
  const limited = clients.filter(({ mode }) => typeof mode === 'number');
  if (limited.length > 0) setInterval(() => limited.forEach((client) => client.step()), stepMs);
}

function measure() {
  const startedMs = performance.now();
  cpu = { usage: process.cpuUsage(), startedMs };
  staleness = new Uint32Array(maxMs);
  behind = {};
  delay.enable();
  timer = setInterval(() => sample(Math.floor((performance.now() - startedMs) / 1000)), sampleMs);
}

function sample(second) {
  const nowMs = Date.now();
  for (const client of clients) {
    if (client.mode === 'stall' || client.at === null) continue;
    const ms = stalenessOf(client, nowMs);
    if (client.mode === 'read') staleness[ms] += 1;
    else {
      const bySecond = (behind[client.mode] ??= []);
      bySecond[second] = Math.max(bySecond[second] ?? 0, ms);
    }
  }
}

function quantile(share) {
  const all = staleness.reduce((sum, count) => sum + count, 0);
  let left = all * share;
  for (let ms = 0; ms < maxMs; ms += 1) if ((left -= staleness[ms]) <= 0) return ms;
  return maxMs;
}

function stop() {
  clearInterval(timer);
  delay.disable();
  const { user, system } = process.cpuUsage(cpu.usage);
  cpu.share = (user + system) / 1000 / (performance.now() - cpu.startedMs);
}

function report({ endedAtMs }) {
  const readers = clients.filter(({ mode }) => mode === 'read');
  const inTime = readers.filter(
    (client) => client.endedAtMs !== null && client.endedAtMs <= endedAtMs + 1000,
  );
  const all = (field) => clients.reduce((sum, client) => sum + client[field], 0);
  return {
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
    endShare: inTime.length / readers.length,
    snapshotsEach: all('snapshots') / readers.length,
    snapshotBytes: all('bytes') / all('snapshots'),
    lost: readers.filter(({ closed }) => closed).length,
    generatorShare: cpu.share,
    generatorLateMs: delay.percentile(99) / 1e6,
    behind,
  };
}

process.on('message', (message) => {
  if (message.open !== undefined) void open(message.open).then(() => process.send({ ready: true }));
  else if (message.measure === true) measure();
  else if (message.stop === true) stop();
  else process.send(report(message.report));
});
process.on('disconnect', () => process.exit());
