import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));

/** Debian's name of this host's architecture. */
const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';

/** Why no package can be built here; null: one can. */
export function buildSkipReason(): string | null {
  if (!existsSync('/usr/bin/dpkg-deb')) return 'dpkg-deb is not installed';
  return process.arch === 'x64' || process.arch === 'arm64' ? null : `no Node is packed for ${process.arch}`;
}

/** Builds a Debian package of the built tree with the script of the release. @returns its path */
export async function buildDeb(folder: string, version: string, umask = '022'): Promise<string> {
  const options = ['--from-tree', '--zstd', '--only', 'deb', '--arch', architecture];
  const args = ['scripts/release/run.mjs', ...options, '--version', version, '--out', folder];
  const shell = ['-c', 'umask "$0" && exec "$@"', umask, process.execPath, ...args];
  const { stdout } = await run('/bin/sh', shell, { cwd: root });
  return stdout.trim().split('\n').at(-1) ?? '';
}
