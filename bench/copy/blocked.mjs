import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { copyFile, warmUp } from '@wcc/copy';
import { showSize } from './options.mjs';
import { interleave, judge, selfDifference } from './rounds.mjs';

/** In all rounds together the main loop stands still for this long at least. */
const BLOCKED_MS = 30_000;
const WANTED = 0.97;
const SLICE_MS = 100;
/** A copy that hangs must not block the benchmark for ever. */
const MOST_MS = 120_000;

/**
 * The main loop blocked by `Atomics.wait` while a copy runs. The worker's own clock measures the copy,
 * because the main thread learns of the end too late.
 */
export async function runBlocked({ directory, sizeBytes, rounds }) {
  const source = join(directory, 'blocked');
  const target = join(directory, 'blocked-copy');
  execFileSync('sh', [
    '-c',
    `head -c ${sizeBytes} /dev/urandom > '${source}' && sync '${source}' && cat '${source}' > /dev/null`,
  ]);
  await warmUp();
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  const perRoundMs = Math.ceil(BLOCKED_MS / rounds);
  const copy = (blockedMs) => async () => {
    rmSync(target, { force: true });
    execFileSync('sync');
    const job = copyFile(source, target, { durable: false });
    const untilMs = performance.now() + blockedMs;
    // Not once back to the event loop before the copy is over
    while (blockedMs > 0 && (performance.now() < untilMs || isRunning(job)))
      Atomics.wait(sleeper, 0, 0, SLICE_MS);
    return (await job.done).elapsedMs;
  };
  const results = await interleave(
    [
      { name: 'undisturbed', run: copy(0) },
      { name: 'undisturbed (again)', run: copy(0) },
      { name: 'main loop blocked', run: copy(perRoundMs) },
    ],
    rounds,
  );
  const ratio = results.get('undisturbed').min / results.get('main loop blocked').min;
  const controls = [selfDifference(results, 'undisturbed')];
  const blocked = `${Math.round((perRoundMs * rounds) / 1000)} s in all`;
  return {
    title: `Main loop blocked (${showSize(sizeBytes)}, ${blocked})`,
    results,
    gates: [
      {
        gate: 'windows per second with the main loop blocked',
        measured: `${ratio.toFixed(2)} × (A/A ${(controls[0] * 100).toFixed(1)} %)`,
        wanted: `≥ ${WANTED} ×`,
        verdict: judge({ isMet: ratio >= WANTED, rounds, controls }),
      },
    ],
  };
}

function isRunning(job) {
  const { phase, elapsedMs } = job.progress();
  return phase !== 'publish' && elapsedMs < MOST_MS;
}
