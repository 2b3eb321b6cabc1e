// `npm test`: the set-up of `npm start` plus what tests need, then lint, types, all tests.
// Further arguments go to vitest, e.g. `npm test -- --project unit packages/copy`.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, checkNode, ensureDependencies, root, runTool, toolPath } from './setup.mjs';
import { ensureSystemPackages } from './system-packages.mjs';

checkNode();
ensureDependencies();
const missing = ensureSystemPackages();
build();

console.log('Lint …');
runTool('oxlint', ['--type-aware', '--deny-warnings']);
runTool('prettier', ['--check', '--log-level', 'warn', '.']);
console.log('Types …');
runTool('tsc', ['-b']);

console.log('Tests …');
const status = runTests(process.argv.slice(2));
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
  if (!counts || counts.numTotalTests === 0) {
    console.error('No test was run.');
    return 1;
  }
  const skipped = counts.numPendingTests + counts.numTodoTests;
  console.log(`${counts.numPassedTests} passed, ${counts.numFailedTests} failed, ${skipped} skipped`);
  return result.status ?? 1;
}
