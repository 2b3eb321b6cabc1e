import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { showSize } from './options.mjs';
import { bestOf, interleave, judge, selfDifference } from './rounds.mjs';
import { timeChild, timeCommand } from './subjects.mjs';

/** Rounds of the slow subjects, which are shown for comparison only. */
const comparisonRounds = 3;

/**
 * Copies a file from the page cache. Compares the fast copy with `cp`, and the durable copy with `cp && sync FILE`.
 */
export async function runWarm({ directory, sizeBytes, rounds }) {
  const source = join(directory, 'warm');
  const target = join(directory, 'warm-copy');
  execFileSync('sh', [
    '-c',
    `head -c ${sizeBytes} /dev/urandom > '${source}' && sync '${source}' && cat '${source}' > /dev/null`,
  ]);
  const cp = `cp '${source}' '${target}'`;
  const twice = (name, run) => [
    { name, run },
    { name: `${name} (again)`, run },
  ];
  const results = await interleave(
    [
      ...twice('cp', () => timeCommand(cp, target)),
      ...twice('@wcc/copy, durable: false', () => timeChild('scratch', source, target)),
      ...twice('cp && sync FILE', () => timeCommand(`${cp} && sync '${target}'`, target)),
      ...twice('@wcc/copy', () => timeChild('durable', source, target)),
      {
        name: '@wcc/copy, durable: false, first copy of a process',
        run: () => timeChild('first', source, target),
      },
      { name: 'fs.copyFile', run: () => timeChild('node', source, target), rounds: comparisonRounds },
      { name: 'stream pipeline', run: () => timeChild('pipeline', source, target), rounds: comparisonRounds },
    ],
    rounds,
  );
  return {
    title: `A warm file of ${showSize(sizeBytes)}`,
    results,
    gates: [
      compare(results, { ours: '@wcc/copy, durable: false', theirs: 'cp', wanted: 0.97, rounds }),
      compare(results, { ours: '@wcc/copy', theirs: 'cp && sync FILE', wanted: 1.1, rounds }),
    ],
  };
}

/** Throughput relative to a peer. Uses the smaller minimum of a subject and its repetition. */
export function compare(results, { ours, theirs, wanted, rounds }) {
  const ratio = bestOf(results, theirs) / bestOf(results, ours);
  const controls = [selfDifference(results, ours), selfDifference(results, theirs)];
  return {
    gate: `${ours} against ${theirs}`,
    measured: `${ratio.toFixed(2)} × (A/A ${controls.map((value) => `${(value * 100).toFixed(1)} %`).join(', ')})`,
    wanted: `≥ ${wanted} ×`,
    verdict: judge({ isMet: ratio >= wanted, rounds, controls }),
  };
}
