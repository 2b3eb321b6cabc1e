import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startCopy } from '@wcc/copy';
import { judge } from './rounds.mjs';

const wantedShare = 0.01;
const readsPerSecond = 100;
const sliceMs = 1000;

/**
 * The cost of reading the progress, at ten times the rate that a hub needs. The copy is paused, so only the reader
 * uses processor time. A running worker adds a few memory writes per window.
 */
export async function runReporting({ directory, rounds }) {
  const source = join(directory, 'reporting');
  writeFileSync(source, Buffer.alloc(8 * 1024 ** 2, 1));
  const job = startCopy(source, `${source}-copy`, { bytesPerSecond: 1024 ** 2 });
  job.pause();
  while (job.progress().state !== 'paused') await sleep(5);
  const shares = [];
  for (let round = 0; round < rounds; round += 1) {
    const idle = await processorShare(() => {});
    const reading = await processorShare(() => job.progress());
    shares.push(Math.max(0, reading - idle));
  }
  job.cancel();
  await job.done.catch((error) => {
    if (error.code !== 'cancelled') throw error;
  });
  const share = shares.toSorted((a, b) => a - b)[Math.floor(shares.length / 2)];
  return {
    title: 'Cost of reporting',
    results: new Map(),
    gates: [
      {
        gate: `processor time of ${readsPerSecond} reads a second`,
        measured: `${(share * 100).toFixed(2)} %`,
        wanted: '< 1 %',
        verdict: judge({ isMet: share < wantedShare, rounds }),
      },
    ],
  };
}

/** Share of one processor while `work` runs 100 times a second. */
async function processorShare(work) {
  const before = process.cpuUsage();
  const timer = setInterval(() => work(), 1000 / readsPerSecond);
  await sleep(sliceMs);
  clearInterval(timer);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000 / sliceMs;
}
