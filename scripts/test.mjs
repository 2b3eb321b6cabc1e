// `npm test`: the set-up of `npm start` plus what tests need, then lint, types, all tests.
// `npm run test:quick`: lint, types, unit tests without loop mounts, hypervisors and browsers.
// `npm run test:changed`: lint, types, tests that reach what changed since the commit that is named (default: HEAD).
// Further arguments go to vitest, e.g. `npm test -- --project unit packages/copy`.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, checkNode, ensureDependencies, root, runTool, toolPath } from './setup.mjs';
import { ensureSystemPackages } from './system-packages.mjs';
import { describeTimes } from './test-report.mjs';

const [mode, ...rest] = process.argv.slice(2);
const selections = {
  '--quick': () => ['--project', 'unit', ...rest],
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
if (missing.length > 0) console.log(`Tests that need these were skipped: ${missing.join(', ')}`);
process.exit(status);

/** Runs vitest and closes with one plain line that counts, whatever the reporter prints. */
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
    console.log('No test reaches what changed.');
    return result.status ?? 1;
  }
  if (!counts || counts.numTotalTests === 0) {
    console.error('No test was run.');
    return 1;
  }
  console.log(describeTimes(counts.testResults).join('\n'));
  const skipped = counts.numPendingTests + counts.numTodoTests;
  console.log(`${counts.numPassedTests} passed, ${counts.numFailedTests} failed, ${skipped} skipped`);
  return result.status ?? 1;
}
