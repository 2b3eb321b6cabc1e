// Compares copyTree with `cp -r`, each with the flush that makes the tree durable, and counts threads.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { copyTree, freeSpace, preload } from '@wcc/copy';
import { render, writeResults } from '../copy/report.mjs';
import { bestOf, interleave, selfDifference } from '../copy/rounds.mjs';
import { readOptions } from './options.mjs';

const minRounds = 7;
/** Creating many files varies more than writing one, so the control may differ more than in `bench:copy`. */
const maxSelfDifference = 0.1;
const maxRatio = 1.5;
/** Threads of the library that may exist beside one for each processor. */
const extraThreads = 2;
const filesPerDirectory = 100;
const sampleMs = 2;

const options = readOptions();
const base = mkdtempSync(join(options.directory, 'wcc-bench-tree-'));
const source = join(base, 'source');
let copies = 0;

function makeSource() {
  for (let index = 0; index < options.files; index += 1) {
    const directory = join(source, `d${Math.floor(index / filesPerDirectory)}`);
    if (index % filesPerDirectory === 0) mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, `f${index}`), randomBytes(options.sizeBytes));
  }
}

/** Times one copy. The removal of the copy is not part of the time. */
async function time(copy) {
  copies += 1;
  const target = join(base, `copy-${copies}`);
  const startMs = performance.now();
  await copy(target);
  const elapsedMs = performance.now() - startMs;
  rmSync(target, { recursive: true });
  return elapsedMs;
}

const cp = (target) => execFileSync('cp', ['-r', source, target]);
/** `sync -f` is syncfs, as copyTree uses it; `sync` of the directory alone would not flush the files in it. */
const cpAndSync = (target) => {
  cp(target);
  execFileSync('sync', ['-f', target]);
};
const tree = (settings) => async (target) => {
  await copyTree(source, target, settings);
};
const durable = 'cp -r && sync -f';
const subjects = [
  [durable, cpAndSync],
  [`${durable} (again)`, cpAndSync],
  ['copyTree', tree({})],
  ['copyTree (again)', tree({})],
  ['copyTree, 1 worker', tree({ concurrency: 1 })],
  ['copyTree, native: off', tree({ native: 'off' })],
  ['cp -r', cp],
  ['copyTree, durable: false', tree({ durable: false })],
].map(([name, copy]) => ({ name, run: () => time(copy) }));

/** The most threads that exist while trees are copied, beyond those of the process before the library started. */
async function countThreads(before) {
  let most = 0;
  const timer = setInterval(() => {
    most = Math.max(most, readdirSync('/proc/self/task').length - before);
  }, sampleMs);
  for (let round = 0; round < 3; round += 1) await time(tree({ concurrency: availableParallelism() }));
  clearInterval(timer);
  return most;
}

try {
  const before = readdirSync('/proc/self/task').length;
  makeSource();
  await preload();
  const threads = await countThreads(before);
  const results = await interleave(subjects, options.rounds);
  const ratio = bestOf(results, 'copyTree') / bestOf(results, durable);
  const controls = [durable, 'copyTree'].map((name) => selfDifference(results, name));
  const verdict = judge(ratio <= maxRatio, Math.max(...controls));
  const control = controls.map((value) => `${(value * 100).toFixed(1)} %`).join(', ');
  const most = availableParallelism() + extraThreads;
  const gates = [
    {
      gate: `copyTree against ${durable}`,
      measured: `${ratio.toFixed(2)} × (A/A ${control})`,
      wanted: `≤ ${maxRatio} ×`,
      verdict,
    },
    {
      gate: 'threads of ours, one worker for each processor',
      measured: threads,
      wanted: `≤ ${most}`,
      verdict: threads <= most ? 'met' : 'MISSED',
    },
  ];
  const { fsType } = await freeSpace(base);
  const title = `${options.files} files of ${options.sizeBytes} bytes`;
  const markdown = render({ title, results, gates }, { rounds: options.rounds, fsType });
  console.log(markdown);
  const resultsPath = fileURLToPath(new URL('../RESULTS.md', import.meta.url));
  if (options.write) writeResults(resultsPath, { part: 'tree', markdown });
} finally {
  rmSync(base, { recursive: true, force: true });
}

function judge(isMet, worst) {
  if (options.rounds < minRounds) return `no verdict (${options.rounds} rounds)`;
  if (worst > maxSelfDifference) return `no verdict (A/A ${(worst * 100).toFixed(1)} %)`;
  return isMet ? 'met' : 'MISSED';
}
