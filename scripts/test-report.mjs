// Times of a test run: the minutes of each kind of test, and the slowest files.
import { relative } from 'node:path';
import { root } from './setup.mjs';

/** Maximum minutes of each kind of test on two processors. New tests must not exceed them. */
const budget = { unit: 10, system: 7, e2e: 8, packages: 1, crash: 2 };

const kindOf = (path) => /^test\/(system|e2e|packages|crash)\//.exec(path)?.[1] ?? 'unit';

/**
 * @param testResults from vitest's JSON report
 * @returns lines to print
 */
export function describeTimes(testResults) {
  const files = testResults.map(({ name, startTime, endTime }) => ({
    path: relative(root, name),
    startMs: startTime,
    endMs: endTime,
  }));
  const lines = Object.entries(budget).flatMap(([kind, minutes]) => {
    const own = files.filter(({ path }) => kindOf(path) === kind);
    if (own.length === 0) return [];
    const wall = (wallShareMs(own, files) / 60_000).toFixed(1);
    const work = (own.reduce((sum, file) => sum + lengthMs(file), 0) / 60_000).toFixed(1);
    return [
      `${kind.padEnd(8)}${wall.padStart(5)} of ${minutes} minutes (${work} minutes of ${own.length} files)`,
    ];
  });
  const slowest = files.toSorted((a, b) => lengthMs(b) - lengthMs(a)).slice(0, 20);
  return [
    'Time:',
    ...lines,
    'Slowest files:',
    ...slowest.map((file) => `${(lengthMs(file) / 1000).toFixed(1).padStart(7)} s  ${file.path}`),
  ];
}

/**
 * @param testResults from vitest's JSON report
 * @returns the seconds of each file that takes at least ten, by its path: the content of `test/slowest-files.json`
 */
export function secondsOfSlowFiles(testResults) {
  const seconds = testResults.map(({ name, startTime, endTime }) => [
    relative(root, name),
    Math.round((endTime - startTime) / 1000),
  ]);
  return Object.fromEntries(seconds.filter(([, value]) => value >= 10).toSorted((a, b) => b[1] - a[1]));
}

const lengthMs = ({ startMs, endMs }) => endMs - startMs;

/** Wall time of these files. Files that run at the same time share that time equally. */
function wallShareMs(own, all) {
  const edges = [...new Set(all.flatMap(({ startMs, endMs }) => [startMs, endMs]))].toSorted((a, b) => a - b);
  let sum = 0;
  for (let i = 0; i + 1 < edges.length; i += 1) {
    const runs = ({ startMs, endMs }) => startMs <= edges[i] && endMs >= edges[i + 1];
    const ours = own.filter(runs).length;
    if (ours > 0) sum += ((edges[i + 1] - edges[i]) * ours) / all.filter(runs).length;
  }
  return sum;
}
