import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, readdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { publint } from 'publint';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeWorkspace } from '../kit/directories.ts';
import { findFreePort } from '../kit/network/ports.ts';
import { until } from '../kit/poll.ts';
import { installNode } from '../kit/quick-start.ts';

/** The tarballs of all workspaces, installed in an empty folder. */
const root = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);
const workspace = makeWorkspace('tarballs');
/** `npm test` needs no registry, so only `npm run test:packages` installs by npm. */
const versions = process.env['WCC_NODES']?.split(',') ?? [];
const names = ['api', 'cli', 'console', 'copy', 'progress', 'server'];
let tarballs: string[];

interface Manifest {
  private?: boolean;
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}

beforeAll(async () => {
  const pack = ['pack', '--silent', '--ignore-scripts', '--workspaces', '--pack-destination', workspace.path];
  await run('npm', pack, { cwd: root });
  const files = readdirSync(workspace.path).filter((name) => name.endsWith('.tgz'));
  tarballs = files.toSorted().map((name) => join(workspace.path, name));
  if (tarballs.length !== names.length) throw new Error(`npm packed ${files.join(', ')}`);
});
afterAll(() => workspace.remove());

/** Starts `wcc serve`, and expects the console with its script. */
async function expectConsole(node: string, wcc: string): Promise<void> {
  const port = await findFreePort();
  const data = join(dirname(wcc), `data-${port}`);
  const args = [wcc, 'serve', '--port', String(port), '--data-dir', data];
  let output = '';
  const server = spawn(node, args, { env: { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent' } });
  for (const stream of [server.stdout, server.stderr]) stream.on('data', (text) => (output += String(text)));
  const url = `http://127.0.0.1:${port}`;
  try {
    await until(
      () => {
        if (server.exitCode !== null) throw new Error(`wcc serve ended: ${output}`);
        return output.includes(`is ready at ${url}`);
      },
      { what: () => `wcc serve to be ready; its output: ${output}` },
    );
    const [script = ''] = /\/assets\/[^"]+\.js/.exec(await (await fetch(url)).text()) ?? [];
    const answer = await fetch(url + script);
    expect(answer.headers.get('content-type')).toContain('javascript');
    expect((await answer.text()).length).toBeGreaterThan(1000);
  } finally {
    const exited = server.exitCode === null ? once(server, 'exit') : null;
    server.kill('SIGKILL');
    await exited;
  }
}

it('the unpacked tarballs give a wcc serve with its console', async () => {
  const modules = join(workspace.path, 'unpacked/node_modules');
  for (const [index, name] of names.entries()) {
    const home = join(modules, '@wcc', name);
    mkdirSync(home, { recursive: true });
    await run('tar', ['-xzf', tarballs[index] ?? '', '-C', home, '--strip-components=1']);
  }
  const declared = names.flatMap((name) => {
    const manifest = JSON.parse(
      readFileSync(join(modules, '@wcc', name, 'package.json'), 'utf8'),
    ) as Manifest;
    expect(manifest.private).toBeUndefined();
    return Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies });
  });
  const foreign = new Set(declared.filter((name) => !name.startsWith('@wcc/')));
  // Everything else is in the bundles.
  expect([...foreign].toSorted()).toEqual(['@node-rs/argon2', 'koffi', 'libsql', 'zod']);
  mkdirSync(join(modules, '@node-rs'));
  for (const name of foreign) symlinkSync(join(root, 'node_modules', name), join(modules, name));
  await expectConsole(process.execPath, join(modules, '@wcc/cli/bin/wcc.js'));
});

it.each(['server', 'cli', 'console'])(
  'the tarball of %s has the licences of what it contains',
  async (name) => {
    const tarball = tarballs[names.indexOf(name)] ?? '';
    const { stdout } = await run('tar', ['-tzf', tarball]);
    const files = stdout.split('\n');
    expect(files.filter((file) => /THIRD-PARTY-NOTICES/.test(file))).toHaveLength(1);
    expect(files).toEqual(expect.arrayContaining(['package/LICENSE', 'package/README.md']));
    expect(files.filter((file) => /\.test\.|testkit|\.tsbuildinfo$|\/src\//.test(file))).toEqual([]);
  },
);

/** The libraries have a test of their own, which also checks their types. */
it.each(['api', 'cli', 'console', 'server'])('%s passes publint', async (name) => {
  const { messages } = await publint({ pkgDir: join(root, 'packages', name), strict: true });
  expect(messages).toEqual([]);
});

it.each(versions)('npm installs the tarballs in a folder and globally (Node %s)', async (version) => {
  const node = await installNode(version);
  const quiet = ['install', '--no-audit', '--no-fund', '--loglevel=error'];
  const local = join(workspace.path, `local-${version}`);
  mkdirSync(local);
  await run('npm', [...quiet, ...tarballs], { cwd: local });
  await expectConsole(node, join(local, 'node_modules/@wcc/cli/bin/wcc.js'));
  const global = join(workspace.path, `global-${version}`);
  await run('npm', [...quiet, '--global', '--prefix', global, ...tarballs], { cwd: workspace.path });
  await expectConsole(node, join(global, 'bin/wcc'));
});
