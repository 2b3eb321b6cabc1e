import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { startPinned } from './round.mjs';

const socketCount = 200;
const eventsPerSecond = 50;
const sampleMs = 2000;
const warmUpShare = 0.2;
const wantedRssMib = 16;
const wantedSocketMib = 4;

/**
 * Threat 10 of docs/security.md: two hundred sockets that never read. The gateway terminates each after 30 s without
 * a Pong. Each reconnects at once, like an attacker.
 */
export async function runMemory({ minutes }) {
  const ms = minutes * 60_000;
  const server = startPinned('server.mjs', 0, ['wcc', socketCount]);
  const readers = startPinned('stalling.mjs', 1);
  try {
    const { port, id } = await server.hear();
    const before = memoryOf(server);
    readers.send({ port, id, sockets: socketCount });
    await readers.hear();
    server.send({ hz: eventsPerSecond, ms: ms + 10_000 });
    const samples = [];
    for (let at = 0; at < ms; at += sampleMs) {
      await sleep(sampleMs);
      samples.push(memoryOf(server));
    }
    readers.send('report');
    return sectionOf({ before, samples, minutes, totals: await readers.hear() });
  } finally {
    await Promise.all([server.stop(), readers.stop()]);
  }
}

function sectionOf({ before, samples, minutes, totals }) {
  const settled = samples.slice(Math.floor(samples.length * warmUpShare));
  const [first, last] = [settled.slice(0, settled.length / 3), settled.slice(-settled.length / 3)];
  const growth = (figure) => mean(last, figure) - mean(first, figure);
  const gate = (what, figure, most) => ({
    gate: `growth of ${what}, last third against first, after a warm-up of ${warmUpShare * 100} %`,
    measured: `${growth(figure).toFixed(1)} MiB`,
    wanted: `≤ ${most} MiB`,
    verdict: minutes < 10 ? `no verdict (${minutes} minutes)` : growth(figure) <= most ? 'met' : 'MISSED',
  });
  const every = Math.max(1, Math.floor(samples.length / 10));
  const rows = [before, ...samples.filter((_, index) => index % every === every - 1)].map((sample, index) => [
    ((index * every * sampleMs) / 60_000).toFixed(1),
    sample.rssMiB.toFixed(1),
    sample.socketMiB.toFixed(1),
  ]);
  return {
    title: `${socketCount} sockets that never read, for ${minutes} minutes`,
    gates: [
      gate('resident memory', 'rssMiB', wantedRssMib),
      gate('kernel socket memory', 'socketMiB', wantedSocketMib),
    ],
    tables: [{ head: ['minute', 'RSS MiB', 'sockets MiB'], rows }],
    note: `${eventsPerSecond} events a second; ${totals.connections} connections in total, each cut by the gateway or renewed by the reader after ${totals.lifeS} s.`,
  };
}

function mean(samples, figure) {
  return samples.reduce((sum, sample) => sum + sample[figure], 0) / samples.length;
}

function memoryOf({ child }) {
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'));
  const [, pages] = /^TCP:.* mem (\d+)$/m.exec(readFileSync('/proc/net/sockstat', 'utf8'));
  return { rssMiB: Number(kib) / 1024, socketMiB: (Number(pages) * 4096) / 2 ** 20 };
}
