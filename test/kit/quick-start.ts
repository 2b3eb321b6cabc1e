import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);

/** The quick start of a README: the packages to install, and the one file to write. */
export interface QuickStart {
  readonly packages: readonly string[];
  readonly file: string;
  readonly source: string;
}

/**
 * Reads the section "Quick start": the first `npm install` line and the first block whose first line is a comment with
 * the file's name.
 */
export function readQuickStart(readme: string): QuickStart {
  const [, section = ''] = /^## Quick start$([\s\S]*?)^## /m.exec(readme) ?? [];
  const packages = /^npm install (.+)$/m.exec(section)?.[1]?.split(' ') ?? [];
  const [, source = ''] = /^```js\n([\s\S]*?)^```$/m.exec(section) ?? [];
  const file = /^\/\/ (\S+\.mjs)/.exec(source)?.[1] ?? '';
  if (packages.length === 0 || file === '') throw new Error('README.md has no quick start');
  return { packages, file, source };
}

/** Packs a library. @returns the path of its tarball */
export async function packLibrary(library: string, folder: string): Promise<string> {
  const pack = ['pack', '--silent', '--pack-destination', folder, '--workspace', `@wcc/${library}`];
  const { stdout } = await run('npm', pack, { cwd: root });
  return join(folder, stdout.trim().split('\n').at(-1) ?? '');
}

/** The file of a tarball. */
export async function readFromTarball(tarball: string, path: string): Promise<string> {
  const { stdout } = await run('tar', ['-xzOf', tarball, `package/${path}`], { maxBuffer: 64 * 1024 ** 2 });
  return stdout;
}

/** An empty folder in which a reader follows the quick start. */
export interface ReadersFolder {
  readonly path: string;
  /** Runs the file and resolves with the child process. Its output is in `output()`. */
  start(node: string): ChildProcess;
  output(): string;
  remove(): Promise<void>;
}

/** Installs the packages by npm, own ones from their tarballs, and writes the file. */
export async function followQuickStart(
  { packages, file, source }: QuickStart,
  tarballs: Readonly<Record<string, string>>,
): Promise<ReadersFolder> {
  const path = mkdtempSync(join(tmpdir(), 'wcc-quick-start-'));
  const wanted = packages.map((name) => tarballs[name] ?? name);
  await run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', ...wanted], { cwd: path });
  writeFileSync(join(path, file), source);
  let child: ChildProcess | undefined;
  let output = '';
  return {
    path,
    start: (node) => {
      child = spawn(node, [file], { cwd: path, env: { PATH: process.env['PATH'] ?? '' } });
      for (const stream of [child.stdout, child.stderr])
        stream?.setEncoding('utf8').on('data', (text: string) => (output += text));
      return child;
    },
    output: () => output,
    remove: async () => {
      if (child !== undefined && child.exitCode === null && child.signalCode === null) {
        const exited = once(child, 'exit');
        child.kill('SIGKILL');
        await exited;
      }
      rmSync(path, { recursive: true, force: true });
    },
  };
}

/**
 * A node binary of another version from npm, for `npm run test:packages`.
 * @returns the path of the binary; it is kept for later runs
 */
export async function installNode(version: string): Promise<string> {
  const folder = join(tmpdir(), `wcc-node-${version}`);
  // The package `node` itself needs a script to find this one.
  const name = `node-${process.platform}-${process.arch}`;
  const binary = join(folder, 'node_modules', name, 'bin/node');
  const isThere = await run(binary, ['--version']).then(
    () => true,
    () => false,
  );
  if (!isThere)
    await run('npm', ['install', '--no-audit', '--no-fund', '--prefix', folder, `${name}@${version}`]);
  return binary;
}
