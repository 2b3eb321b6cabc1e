// `npm test`: set-up, system packages, lint, types, all tests.
// `npm run test:quick`: set-up, lint, types, unit tests without loop mounts, hypervisors and browsers.
// `npm run test:changed [COMMIT]`: set-up, lint, types, tests that import files changed since COMMIT.
// With WCC_NOTE_TIMES=1, a run of all tests writes test/slowest-files.json, which orders the next runs.
// vitest gets all further arguments, e.g. `npm test -- --project unit packages/copy`.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, checkNode, ensureDependencies, root, runTool, toolPath } from './setup.mjs';
import { ensureSystemPackages } from './system-packages.mjs';
import { describeTimes, secondsOfSlowFiles } from './test-report.mjs';

const [mode, ...rest] = process.argv.slice(2);
const selections = {
  '--quick': () => ['--project', 'unit', '--project', 'isolated', ...rest],
  '--changed': () => ['--changed', rest[0] ?? 'HEAD', '--passWithNoTests', ...rest.slice(1)],
};
const select = selections[mode];

checkNode();
ensureDependencies();
const missing = select === undefined ? ensureSystemPackages() : [];
build();

console.log('Lint …');
runTool('oxlint', ['--type-aware', '--deny-warnings']);
runTool('prettier', ['--check', '--log-level', 'warn', '.']);
console.log('Types …');
runTool('tsc', ['-b']);

console.log('Tests …');
const status = runTests(select === undefined ? process.argv.slice(2) : select());
if (missing.length > 0) console.log(`Skipped the tests that need these packages: ${missing.join(', ')}`);
process.exit(status);

/** Runs vitest and prints the times. The last line is always the number of passed, failed and skipped tests. */
function runTests(args) {
  const folder = mkdtempSync(join(tmpdir(), 'wcc-test-'));
  const report = join(folder, 'report.json');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const result = spawnSync(process.execPath, [toolPath('vitest'), 'run', ...reporters, ...args], {
    cwd: root,
    stdio: 'inherit',
  });
  const counts = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : null;
  rmSync(folder, { recursive: true, force: true });
  if (mode === '--changed' && (counts === null || counts.numTotalTests === 0)) {
    console.log('No test covers the changed files.');
    return result.status ?? 1;
  }
  if (!counts || counts.numTotalTests === 0) {
    console.error('No test ran.');
    return 1;
  }
  console.log(describeTimes(counts.testResults).join('\n'));
  if (process.env.WCC_NOTE_TIMES === '1') {
    const seconds = JSON.stringify(secondsOfSlowFiles(counts.testResults), null, 2);
    writeFileSync(join(root, 'test/slowest-files.json'), `${seconds}\n`);
  }
  const skipped = counts.numPendingTests + counts.numTodoTests;
  console.log(`${counts.numPassedTests} passed, ${counts.numFailedTests} failed, ${skipped} skipped`);
  return result.status ?? 1;
}
