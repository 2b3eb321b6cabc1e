import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { startCopy, preload } from '@wcc/copy';
import { showSize } from './options.mjs';
import { interleave, judge, selfDifference } from './rounds.mjs';

/** Minimum total time that the main loop is blocked, over all rounds. */
const minBlockedMs = 30_000;
const wantedRatio = 0.97;
const sliceMs = 100;
/** Timeout, because a copy that hangs must not block the benchmark for ever. */
const timeoutMs = 120_000;

/**
 * Blocks the main loop with `Atomics.wait` while a copy runs. The worker's own clock measures the copy, because the
 * main thread receives the end too late.
 */
export async function runBlocked({ directory, sizeBytes, rounds }) {
  const source = join(directory, 'blocked');
  const target = join(directory, 'blocked-copy');
  execFileSync('sh', [
    '-c',
    `head -c ${sizeBytes} /dev/urandom > '${source}' && sync '${source}' && cat '${source}' > /dev/null`,
  ]);
  await preload();
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  const perRoundMs = Math.ceil(minBlockedMs / rounds);
  const copy = (blockedMs) => async () => {
    rmSync(target, { force: true });
    execFileSync('sync');
    const job = startCopy(source, target, { durable: false });
    const untilMs = performance.now() + blockedMs;
    // The event loop does not run until the copy has ended.
    while (blockedMs > 0 && (performance.now() < untilMs || isRunning(job)))
      Atomics.wait(sleeper, 0, 0, sliceMs);
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
        wanted: `≥ ${wantedRatio} ×`,
        verdict: judge({ isMet: ratio >= wantedRatio, rounds, controls }),
      },
    ],
  };
}

function isRunning(job) {
  const { phase, elapsedMs } = job.progress();
  return phase !== 'publish' && elapsedMs < timeoutMs;
}
