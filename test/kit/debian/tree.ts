import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { makeWorkspace } from '../directories.ts';

const run = promisify(execFile);
const environment = { PATH: process.env['PATH'] ?? '', DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' };

/** Debian's number → its name. */
export const suites = { 12: 'bookworm', 13: 'trixie' } as const;
export type Release = keyof typeof suites;

/** A clean Debian below a directory, in which a test installs by apt. */
export interface DebianTree {
  readonly path: string;
  /** Runs a command in the tree. @throws if it fails */
  inside(...command: string[]): Promise<string>;
  /** Installs a package file of the host, with its dependencies. */
  install(deb: string): Promise<string>;
  remove(): void;
}

/** Why no tree can be made here; null: one can. */
export function treeSkipReason(): string | null {
  if (process.getuid?.() !== 0) return 'a chroot needs root';
  if (!existsSync('/usr/bin/mmdebstrap')) return 'mmdebstrap is not installed';
  return mirrorOfHost() === null ? 'apt of this host knows no mirror of Debian' : null;
}

/** The mirror that apt of this host uses for the main archive. */
function mirrorOfHost(): string | null {
  const args = ['indextargets', '--format', '$(ORIGIN) $(CODENAME) $(REPO_URI)', 'Created-By: Packages'];
  try {
    const lines = execFileSync('apt-get', args, { encoding: 'utf8' }).split('\n');
    const main = lines
      .map((line) => line.split(' '))
      .filter(([origin, codename = '']) => isMain(origin, codename));
    return main[0]?.[2] ?? null;
  } catch {
    return null; // another distribution
  }
}

const isMain = (origin: string | undefined, codename: string): boolean =>
  origin === 'Debian' && !codename.includes('-');

/** Makes a tree. The first of a release takes a minute; its archive is kept in the user's cache. */
export async function makeTree(release: Release): Promise<DebianTree> {
  const archive = await archiveOf(release);
  const workspace = makeWorkspace(`debian-${release}`);
  const { path } = workspace;
  await run('tar', ['-xf', archive, '-C', path, '--numeric-owner']);
  // No service starts in a chroot: https://www.debian.org/doc/debian-policy/ch-opersys.html#interfacing-with-init-systems
  writeFileSync(join(path, 'usr/sbin/policy-rc.d'), '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  writeFileSync(join(path, 'etc/resolv.conf'), readFileSync('/etc/resolv.conf'));
  await run('mount', ['-t', 'proc', 'proc', join(path, 'proc')]);
  const inside = async (...command: string[]): Promise<string> => {
    const { stdout, stderr } = await run('chroot', [path, ...command], { env: environment });
    return stdout + stderr;
  };
  return {
    path,
    inside,
    install: async (deb) => {
      writeFileSync(join(path, 'tmp/wcc.deb'), readFileSync(deb));
      return inside('apt-get', 'install', '-y', '-q', '--no-install-recommends', '/tmp/wcc.deb');
    },
    remove: () => {
      execFileSync('umount', ['--lazy', join(path, 'proc')]);
      workspace.remove();
    },
  };
}

/** The dependencies of wcc are downloaded already, so that an installation needs no network. */
async function archiveOf(release: Release): Promise<string> {
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'wcc-debian-trees');
  const archive = join(cache, `${suites[release]}-1.tar`);
  if (existsSync(archive)) return archive;
  mkdirSync(cache, { recursive: true });
  const fresh = `${archive}.${process.pid}.tar`;
  const download = 'apt-get install -q -y --download-only --no-install-recommends adduser openssl libstdc++6';
  const source = `deb ${mirrorOfHost() ?? ''} ${suites[release]} main`;
  const options = [
    '--variant=apt',
    '--skip=cleanup/apt/lists,cleanup/apt/cache',
    `--customize-hook=chroot "$1" ${download}`,
  ];
  try {
    await run('mmdebstrap', [...options, suites[release], fresh, source], { env: environment });
    renameSync(fresh, archive);
  } finally {
    rmSync(fresh, { force: true });
  }
  return archive;
}
