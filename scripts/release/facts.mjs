// What every part of a release is made from: the version, the commit's time, and the architectures.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../setup.mjs';

/** In the order of their dependencies. */
export const workspaces = ['copy', 'progress', 'api', 'console', 'server', 'cli'];

/** Debian's name → the names of npm, the machine number in an ELF header, and a program that runs its binaries. */
export const architectures = {
  amd64: { cpu: 'x64', elfMachine: 62, emulator: null },
  arm64: {
    cpu: 'arm64',
    elfMachine: 183,
    emulator: { program: 'qemu-aarch64-static', libraries: '/usr/aarch64-linux-gnu' },
  },
};

/** No address receives mail; `.invalid` says so. */
export const maintainer = 'the wcc authors <maintainers@wcc.invalid>';

/** The architecture of this host, by Debian's name. */
export const ownArchitecture = Object.keys(architectures).find(
  (name) => architectures[name].cpu === process.arch,
);

export const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'));

/**
 * The version of the root's package.json, which `scripts/release/set-version.mjs` writes to all others.
 * @throws if a workspace has another one
 */
export function versionOf(source) {
  const { version } = readJson(join(source, 'package.json'));
  for (const name of workspaces) {
    const path = `packages/${name}/package.json`;
    const own = readJson(join(source, path));
    const needed = Object.entries({
      ...own.dependencies,
      ...own.optionalDependencies,
      ...own.devDependencies,
    })
      .filter(([dependency]) => dependency.startsWith('@wcc/'))
      .map(([, wanted]) => wanted);
    if ([own.version, ...needed].some((other) => other !== version))
      throw new Error(`${path} names another version than ${version}: node scripts/release/set-version.mjs`);
  }
  return version;
}

/** Debian sorts `1.0.0~rc.1` before `1.0.0`, as semantic versions do with `-`. */
export const debianVersion = (version) => version.replace('-', '~');

/** Seconds since 1970 of the commit: the time of every file in a release. */
export function commitTime() {
  return Number(git('log', '-1', '--format=%ct'));
}

export function commitHash() {
  return git('rev-parse', 'HEAD');
}

/** @throws if files differ from the commit, because the release would differ from its commit too */
export function assertClean() {
  const changes = git('status', '--porcelain');
  if (changes !== '') throw new Error(`These files are not committed:\n${changes}`);
}

function git(...args) {
  return execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
}
