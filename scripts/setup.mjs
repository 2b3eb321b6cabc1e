// Set-up that `npm start` and `npm test` share. It installs dependencies and builds, each only if missing or stale.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** In the order of their dependencies. Only `npm test` compiles the tests. */
const packages = ['copy', 'progress', 'api', 'server', 'console', 'cli'];

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Runs a command in the repository's root. If the command fails, this process exits with its exit code. */
export function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options });
  if (result.error) fail(`${command} cannot be started: ${result.error.message}`);
  if (result.status !== 0) process.exit(result.status ?? 1);
}

/** Runs a tool of node_modules/.bin with the Node of this process. */
export function runTool(name, args) {
  run(process.execPath, [toolPath(name), ...args]);
}

/** The JavaScript file behind a tool of node_modules/.bin. */
export function toolPath(name) {
  return join(root, 'node_modules', '.bin', name);
}

export function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  fail(`wcc needs Node 20.19 or newer; this is ${process.versions.node}.`);
}

/** Runs `npm ci` if node_modules is missing or was installed from another lock file. */
export function ensureDependencies() {
  const stamp = join(root, 'node_modules', '.wcc-lock');
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  console.log('Installing dependencies (once, about half a minute) …');
  const npm = process.env.npm_execpath;
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error'];
  if (npm && npm.endsWith('.js')) run(process.execPath, [npm, ...args]);
  else run('npm', args);
  writeFileSync(stamp, lock);
}

/**
 * Compiles stale packages and bundles the worker of `copy` and the element of `progress`. Bundles the console, the
 * server and the command line if one of their inputs is newer than the bundle.
 */
export function build() {
  runTool('tsc', ['-b', ...packages.map((name) => `packages/${name}`)]);
  for (const name of ['bundle-worker', 'bundle-element'])
    run(process.execPath, [join(root, `scripts/${name}.mjs`)]);
  const shared = ['packages/progress/src', 'packages/api/src', 'package-lock.json'];
  if (isStale('packages/console/dist/index.html', ['packages/console', ...shared])) {
    console.log('Bundling the console …');
    run(process.execPath, [toolPath('vite'), 'build', '--logLevel', 'warn'], {
      cwd: join(root, 'packages/console'),
    });
  }
  const programs = ['packages/copy/src', 'packages/server/src', 'packages/cli/src', ...shared];
  if (isStale('packages/cli/bundle/main.js', [...programs, 'scripts/bundle-programs.mjs'])) {
    console.log('Bundling the server and the command line …');
    run(process.execPath, [join(root, 'scripts/bundle-programs.mjs')]);
  }
}

export function isStale(bundle, inputs, base = root) {
  const file = join(base, bundle);
  const newest = Math.max(...inputs.map((path) => newestMtimeMs(join(base, path))));
  return !existsSync(file) || statSync(file).mtimeMs < newest;
}

function newestMtimeMs(path) {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  const names = readdirSync(path).filter((name) => name !== 'node_modules' && name !== 'dist');
  // The time of a folder is that of the last file that came or went.
  return Math.max(stat.mtimeMs, ...names.map((name) => newestMtimeMs(join(path, name))));
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
