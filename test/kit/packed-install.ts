import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { makeWorkspace } from './directories.ts';
import type { Workspace } from './directories.ts';
import { until } from './poll.ts';
import { findFreePort } from './network/ports.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);

/** Packages that work without the other packages of wcc. */
export const libraries = ['progress', 'copy'] as const;

/** A folder outside the repository with the packed libraries installed, as a user would have them. */
export interface PackedInstall {
  readonly path: string;
  /** Path of the package's tarball. */
  tarball(library: (typeof libraries)[number]): string;
  /** Starts an example server. Resolves when it answers. */
  start(example: string): Promise<ExampleServer>;
  remove(): void;
}

export interface ExampleServer {
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

/** Packs a package for publication and unpacks it to `node_modules`. @returns the path of the tarball */
async function packAndUnpack(path: string, name: string): Promise<string> {
  const pack = ['pack', '--silent', '--ignore-scripts', '--pack-destination', path];
  const { stdout } = await run('npm', [...pack, '--workspace', `@wcc/${name}`], { cwd: root });
  const tarball = join(path, stdout.trim().split('\n').at(-1) ?? '');
  const home = join(path, 'node_modules/@wcc', name);
  mkdirSync(home, { recursive: true });
  await run('tar', ['-xzf', tarball, '-C', home, '--strip-components=1']);
  return tarball;
}

/** Installs the packed CLI alone outside the repository: its bundle contains all that it needs. */
export async function installCli(): Promise<Workspace> {
  const workspace = makeWorkspace('command');
  const { path } = workspace;
  await packAndUnpack(path, 'cli');
  const modules = join(path, 'node_modules');
  // npm makes the same link: https://docs.npmjs.com/cli/configuring-npm/package-json#bin
  const bin = join(modules, '@wcc/cli/bin/wcc.js');
  chmodSync(bin, 0o755);
  mkdirSync(join(modules, '.bin'));
  symlinkSync('../@wcc/cli/bin/wcc.js', join(modules, '.bin/wcc'));
  return workspace;
}

/** Installs the packed libraries and the examples outside the repository, without a network. */
export async function installLibraries(): Promise<PackedInstall> {
  const workspace = makeWorkspace('outside');
  const { path } = workspace;
  const tarballs = new Map<string, string>();
  for (const library of libraries) tarballs.set(library, await packAndUnpack(path, library));
  // Links all other dependencies to the ones of the repository.
  mkdirSync(join(path, 'node_modules/@types'));
  for (const name of ['ws', 'koffi', 'express', 'fastify', '@types/node', '@types/ws'])
    symlinkSync(join(root, 'node_modules', name), join(path, 'node_modules', name));
  cpSync(join(root, 'packages/progress/examples'), join(path, 'examples'), { recursive: true });
  return {
    path,
    tarball: (library) => tarballs.get(library)!,
    start: (example) => start(join(path, 'examples', example)),
    remove: () => workspace.remove(),
  };
}

async function start(folder: string): Promise<ExampleServer> {
  const port = await findFreePort();
  const url = `http://localhost:${port}`;
  let output = '';
  const child = spawn(process.execPath, ['server.mjs'], {
    cwd: folder,
    env: { PATH: process.env['PATH'] ?? '', PORT: String(port) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => (output += text));
  const close = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  };
  try {
    await until(
      async () => {
        if (child.exitCode !== null) throw new Error(`${folder} ended early: ${output}`);
        return fetch(url).then(
          ({ ok }) => ok,
          () => false, // not listening yet
        );
      },
      { what: () => `${folder} to answer; its output: ${output}` },
    );
  } catch (error) {
    await close();
    throw error;
  }
  return { url, port, close };
}
