// Compares the test titles and assertions of another checkout with this one: every vanished title names its successor.
// Usage: node scripts/compare-test-titles.mjs CHECKOUT [--pairs]
// A file is paired with its successor by git's renames, a title by its place in the file.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { root, toolPath } from './setup.mjs';

const [other, flag] = process.argv.slice(2);
if (other === undefined) {
  console.error('usage: node scripts/compare-test-titles.mjs CHECKOUT [--pairs]');
  process.exit(2);
}
const before = listTitles(resolve(other));
const after = listTitles(root);
const oldCommit = git(resolve(other), 'rev-parse', 'HEAD').trim();
/** Files that changed too much for git to see a rename. */
const rewritten = {
  'packages/console/src/text/catalogue.test.ts': 'packages/console/src/catalogues.test.ts',
  'packages/progress/src/client/held.test.ts': 'packages/progress/src/client/snapshot-cache.test.ts',
  'packages/server/src/http/range.test.ts': 'packages/server/src/http/routes/downloads.test.ts',
  'packages/server/src/machines/life.test.ts': 'packages/server/src/machines/machines.test.ts',
  'packages/server/src/uploads/lease.test.ts': 'packages/server/src/uploads/lock.test.ts',
};
const successorOf = new Map([...renames(oldCommit), ...Object.entries(rewritten)]);
const pairs = [];
const vanished = [];
let unchanged = 0;
const pool = new Map([...after].map(([file, titles]) => [file, [...titles]]));
for (const [file, titles] of before) {
  const successor = successorOf.get(file) ?? file;
  const candidates = pool.get(successor) ?? [];
  for (const title of titles.filter((each) => candidates.includes(each))) {
    candidates.splice(candidates.indexOf(title), 1);
    titles.splice(titles.indexOf(title), 1);
    unchanged += 1;
  }
  titles.forEach((title, index) => {
    // By place, and beyond the last place by the last title: a group of cases may have become one.
    const match = candidates[Math.min(index, candidates.length - 1)];
    if (match === undefined) vanished.push(`${file}: ${title}`);
    else pairs.push([`${file}: ${title}`, `${successor}: ${match}`]);
  });
}
if (flag === '--pairs') for (const [old, now] of pairs) console.log(`${old}\n  → ${now}`);
const count = (lists) => [...lists.values()].reduce((sum, list) => sum + list.length, 0);
console.log(`titles: ${unchanged + pairs.length + vanished.length} before, ${count(after)} now`);
console.log(`${unchanged} unchanged, ${pairs.length} renamed, ${vanished.length} without a successor`);
for (const line of vanished) console.log(`  ${line}`);
console.log(
  `lines with an assertion: ${countAssertions(resolve(other))} before, ${countAssertions(root)} now`,
);
process.exitCode = vanished.length === 0 ? 0 : 1;

/** @returns file → titles in the order of the file */
function listTitles(checkout) {
  const folder = mkdtempSync(join(tmpdir(), 'wcc-titles-'));
  const report = join(folder, 'list.json');
  const vitest = checkout === root ? toolPath('vitest') : join(checkout, 'node_modules/.bin/vitest');
  execFileSync(process.execPath, [vitest, 'list', `--json=${report}`], { cwd: checkout, stdio: 'ignore' });
  const titles = new Map();
  for (const { file, name } of JSON.parse(readFileSync(report, 'utf8'))) {
    const path = relative(checkout, file);
    titles.set(path, [...(titles.get(path) ?? []), name]);
  }
  rmSync(folder, { recursive: true });
  return titles;
}

function renames(commit) {
  const lines = git(root, 'diff', '-l0', '-M20%', '--name-status', '--diff-filter=R', commit, 'HEAD').split(
    '\n',
  );
  return new Map(lines.filter((line) => line !== '').map((line) => line.split('\t').slice(1)));
}

function countAssertions(checkout) {
  const files = ['*.test.ts', '*.testkit.ts', 'test/**/*.ts', 'packages/progress/src/testing/*.ts'];
  const pattern = String.raw`\bexpect(\.[a-z]+)?\(|\bexpect[A-Z]\w*\(|\bfc\.assert\(`;
  return git(checkout, 'grep', '-hE', pattern, '--', ...files).split('\n').length - 1;
}

function git(cwd, ...args) {
  return execFileSync('git', args, { cwd, encoding: 'utf8', maxBuffer: 2 ** 28 });
}
