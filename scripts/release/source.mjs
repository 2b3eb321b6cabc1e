// A fresh copy of the commit, installed and built: no stale file of a work tree gets into a release.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../setup.mjs';
import { architectures } from './facts.mjs';

/** Exports the commit, installs the locked dependencies, and builds. @returns the folder */
export function makeSource(work) {
  const source = join(work, 'source');
  mkdirSync(source, { recursive: true });
  const archive = execFileSync('git', ['archive', 'HEAD'], { cwd: root, maxBuffer: 1 << 30 });
  execFileSync('tar', ['-x', '-C', source], { input: archive });
  npmCi(source);
  execFileSync(process.execPath, ['scripts/build.mjs'], { cwd: source, stdio: 'inherit' });
  return source;
}

/**
 * Installs Node and the native packages for an architecture. npm compares each tarball with the integrity in the lock,
 * also one from its cache.
 * @returns the folder that contains `node_modules`
 */
export function installNatives(source, { architecture, work }) {
  const lock = readFileSync(join(source, 'packaging/package-lock.json'));
  const key = createHash('sha256').update(lock).digest('hex').slice(0, 12);
  const folder = join(work, `natives-${architecture}-${key}`);
  if (existsSync(folder)) return folder;
  const fresh = `${folder}.${process.pid}`;
  mkdirSync(fresh, { recursive: true });
  for (const name of ['package.json', 'package-lock.json', '.npmrc'])
    cpSync(join(source, 'packaging', name), join(fresh, name));
  npmCi(fresh, ['--os', 'linux', '--cpu', architectures[architecture].cpu, '--libc', 'glibc']);
  renameSync(fresh, folder);
  return folder;
}

function npmCi(cwd, args = []) {
  execFileSync('npm', ['ci', '--prefer-offline', '--loglevel=error', ...args], { cwd, stdio: 'inherit' });
}
