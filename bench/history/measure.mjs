import { closeSync, openSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const writesPerSecond = 20;
/** Below this share of a core, a server has nothing left to do after its start. */
const idleShare = 0.02;
const longestWaitMs = 10 * 60_000;

/** The requests that people feel. Each one returns after the answer. */
export const requests = {
  'list of images': ({ server }) => server.ask('GET', '/api/images'),
  'one image': ({ server, image }) => server.ask('GET', `/api/images/${image}`),
  'copy accepted': ({ server, image, nextName }) =>
    server.ask('POST', `/api/images/${image}/copy`, { name: nextName() }),
};

/** Sends each request to each subject in turns. @returns milliseconds by request and subject */
export async function timeRequests(subjects, rounds) {
  const samples = {};
  for (const kind of Object.keys(requests)) {
    samples[kind] = Object.fromEntries(Object.keys(subjects).map((name) => [name, []]));
    for (let round = -5; round < rounds; round += 1)
      for (const [name, subject] of Object.entries(subjects)) {
        const startedAt = performance.now();
        const { operation } = await requests[kind](subject);
        const ms = performance.now() - startedAt;
        // The first requests load code.
        if (round >= 0) samples[kind][name].push(ms);
        if (operation) await untilEnd(subject.server, operation.id);
      }
  }
  return samples;
}

async function untilEnd(server, id) {
  for (;;) {
    const { state } = await server.ask('GET', `/api/operations/${id}`);
    if (state === 'succeeded') return;
    if (state === 'failed') throw new Error(`operation ${id} has failed`);
    await sleep(20);
  }
}

/** Share of one core that the server uses. */
async function shareOf(server, seconds) {
  const [cpuBefore, startedAt] = [server.cpuSeconds(), performance.now()];
  await sleep(seconds * 1000);
  return ((server.cpuSeconds() - cpuBefore) * 1000) / (performance.now() - startedAt);
}

/** Waits until the looks and checks after a start have ended. @returns the seconds that it took */
export async function untilIdle(server) {
  const startedAt = performance.now();
  while ((await shareOf(server, 3)) > idleShare)
    if (performance.now() - startedAt > longestWaitMs) throw new Error('the server does not become idle');
  return (performance.now() - startedAt) / 1000;
}

/** Shares of a core without and with a guest that writes to its disk, in turns. */
export async function timeWriter(server, { path, seconds, turns = 3 }) {
  const shares = { idle: [], 'idle (again)': [], writing: [] };
  const file = openSync(path, 'r+');
  try {
    for (let turn = 0; turn < turns; turn += 1) {
      shares.idle.push(await shareOf(server, seconds));
      const timer = setInterval(() => writeSync(file, `${performance.now()}`, 0), 1000 / writesPerSecond);
      try {
        shares.writing.push(await shareOf(server, seconds));
      } finally {
        clearInterval(timer);
      }
      shares['idle (again)'].push(await shareOf(server, seconds));
    }
  } finally {
    closeSync(file);
  }
  return shares;
}
