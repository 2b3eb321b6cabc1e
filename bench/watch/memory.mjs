import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { startPinned } from './round.mjs';

const SOCKETS = 200;
const HZ = 50;
const SAMPLE_MS = 2000;
const WARM_UP_SHARE = 0.2;
const WANTED_RSS_MIB = 16;
const WANTED_SOCKET_MIB = 4;

/**
 * Threat 10: two hundred sockets that never read. The gateway cuts each after 30 s without a Pong; each reconnects
 * at once, as an attacker would.
 */
export async function runMemory({ minutes }) {
  const ms = minutes * 60_000;
  const server = startPinned('server.mjs', 0, ['wcc', SOCKETS]);
  const readers = startPinned('stalling.mjs', 1);
  try {
    const { port, id } = await server.hear();
    const before = memoryOf(server);
    readers.send({ port, id, sockets: SOCKETS });
    await readers.hear();
    server.send({ hz: HZ, ms: ms + 10_000 });
    const samples = [];
    for (let at = 0; at < ms; at += SAMPLE_MS) {
      await sleep(SAMPLE_MS);
      samples.push(memoryOf(server));
    }
    readers.send('report');
    return sectionOf({ before, samples, minutes, totals: await readers.hear() });
  } finally {
    await Promise.all([server.stop(), readers.stop()]);
  }
}

function sectionOf({ before, samples, minutes, totals }) {
  const settled = samples.slice(Math.floor(samples.length * WARM_UP_SHARE));
  const [first, last] = [settled.slice(0, settled.length / 3), settled.slice(-settled.length / 3)];
  const growth = (figure) => mean(last, figure) - mean(first, figure);
  const gate = (what, figure, most) => ({
    gate: `growth of ${what}, last third against first, after a warm-up of ${WARM_UP_SHARE * 100} %`,
    measured: `${growth(figure).toFixed(1)} MiB`,
    wanted: `≤ ${most} MiB`,
    verdict: minutes < 10 ? `no verdict (${minutes} minutes)` : growth(figure) <= most ? 'met' : 'MISSED',
  });
  const every = Math.max(1, Math.floor(samples.length / 10));
  const rows = [before, ...samples.filter((_, index) => index % every === every - 1)].map((sample, index) => [
    ((index * every * SAMPLE_MS) / 60_000).toFixed(1),
    sample.rssMiB.toFixed(1),
    sample.socketMiB.toFixed(1),
  ]);
  return {
    title: `${SOCKETS} sockets that never read, for ${minutes} minutes`,
    gates: [
      gate('resident memory', 'rssMiB', WANTED_RSS_MIB),
      gate('kernel socket memory', 'socketMiB', WANTED_SOCKET_MIB),
    ],
    tables: [{ head: ['minute', 'RSS MiB', 'sockets MiB'], rows }],
    note: `${HZ} events a second; ${totals.connections} connections in total, each cut by the gateway or renewed by the reader after ${totals.lifeS} s.`,
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
