import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { nodeResolve } from '@rollup/plugin-node-resolve';
import { support } from '@wcc/copy';
import * as esbuild from 'esbuild';
import { rolldown } from 'rolldown';
import { rollup } from 'rollup';
import { build as viteBuild } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import webpack from 'webpack';
import { makeWorkspace } from '../kit/directories.ts';
import type { Workspace } from '../kit/directories.ts';
import { installLibraries } from '../kit/packed-install.ts';
import type { PackedInstall } from '../kit/packed-install.ts';

/** Bundles a program that uses the packed @wcc/copy, and runs the bundle where that package is not installed. */
const root = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);
let outside: PackedInstall;
let elsewhere: Workspace;
beforeAll(async () => {
  await run(process.execPath, [join(root, 'scripts/bundle-worker.mjs')]);
  outside = await installLibraries();
  elsewhere = makeWorkspace('bundled');
  // The one package that a bundle needs beside it, because it is native code.
  mkdirSync(join(elsewhere.path, 'node_modules'));
  symlinkSync(join(root, 'node_modules/koffi'), join(elsewhere.path, 'node_modules/koffi'));
  writeFileSync(join(outside.path, 'app.js'), app);
});
afterAll(() => {
  outside.remove();
  elsewhere.remove();
});

/** Uses the main thread and a worker, the classes of two doors, and koffi. */
const app = `
import { mkdirSync, writeFileSync } from 'node:fs';
import { copyFile, copyTree, CopyError, hashFile, inspectFile, support } from '@wcc/copy';
import { readCheckpoint } from '@wcc/copy/recovery';
const main = async () => {
  const [source, target] = process.argv.slice(2);
  const { bytes } = await copyFile(source, target, { verify: true });
  const { sha256 } = await hashFile(target);
  const { sizeBytes } = await inspectFile(target);
  const failure = await readCheckpoint(target, 'a b').catch((error) => error);
  const missing = await copyFile('/nowhere', target + '2').catch((error) => error.code);
  const isSameClass = failure instanceof CopyError;
  mkdirSync(target + '.from');
  writeFileSync(target + '.from/a', 'a');
  const { files } = await copyTree(target + '.from', target + '.to');
  console.log(JSON.stringify({ bytes, sha256, sizeBytes, isSameClass, missing, files, native: support().available }));
};
main().catch((error) => console.log(JSON.stringify({ code: error.code, hint: error.hint })));
`;

async function runBundle(file: string): Promise<Record<string, unknown>> {
  const source = fileURLToPath(import.meta.url);
  const { stdout, stderr } = await run(process.execPath, [file, source, `${file}.copy`], {
    cwd: elsewhere.path,
    env: { PATH: process.env['PATH'] ?? '' },
  });
  expect(stderr).toBe('');
  return JSON.parse(stdout) as Record<string, unknown>;
}

async function expectWorks(file: string): Promise<void> {
  const size = readFileSync(fileURLToPath(import.meta.url)).length;
  expect(await runBundle(file)).toEqual({
    bytes: expect.objectContaining({ virtual: size }) as unknown,
    sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as unknown,
    sizeBytes: size,
    isSameClass: true,
    missing: 'not_found',
    files: 1,
    native: support().available,
  });
  expect(readFileSync(`${file}.copy`)).toEqual(readFileSync(fileURLToPath(import.meta.url)));
}

/** An empty folder for the output of a bundler. */
function outputFolder(name: string, type: 'module' | 'commonjs'): string {
  const path = join(elsewhere.path, name);
  mkdirSync(path);
  writeFileSync(join(path, 'package.json'), JSON.stringify({ type }));
  return path;
}

const entry = (): string => join(outside.path, 'app.js');

describe('a program bundled with @wcc/copy copies files', () => {
  it.each(['esm', 'cjs'] as const)('bundled by esbuild as %s', async (format) => {
    const outfile = join(
      outputFolder(`esbuild-${format}`, format === 'esm' ? 'module' : 'commonjs'),
      'app.js',
    );
    const { warnings } = await esbuild.build({
      entryPoints: [entry()],
      bundle: true,
      platform: 'node',
      format,
      outfile,
      logLevel: 'silent',
    });
    expect(warnings).toEqual([]);
    await expectWorks(outfile);
  });

  it.each(['es', 'cjs'] as const)('bundled by rollup as %s', async (format) => {
    const file = join(outputFolder(`rollup-${format}`, format === 'es' ? 'module' : 'commonjs'), 'app.js');
    const warnings: string[] = [];
    const bundle = await rollup({
      input: entry(),
      plugins: [nodeResolve()],
      external: /^node:/,
      onwarn: ({ message }) => void warnings.push(message),
    });
    await bundle.write({ file, format });
    await bundle.close();
    expect(warnings).toEqual([]);
    await expectWorks(file);
  });

  it.each(['es', 'cjs'] as const)('bundled by rolldown as %s', async (format) => {
    const file = join(outputFolder(`rolldown-${format}`, format === 'es' ? 'module' : 'commonjs'), 'app.js');
    const bundle = await rolldown({ input: entry(), platform: 'node', logLevel: 'silent' });
    await bundle.write({ file, format });
    await bundle.close();
    await expectWorks(file);
  });

  it.each(['module', 'commonjs'] as const)('bundled by webpack as %s', async (type) => {
    const path = outputFolder(`webpack-${type}`, type);
    const compiler = webpack({
      mode: 'production',
      target: 'node20',
      context: outside.path,
      entry: './app.js',
      output: { path, filename: 'app.js', module: type === 'module' },
      experiments: { outputModule: type === 'module' },
      optimization: { minimize: type === 'module' },
    });
    const stats = await new Promise<webpack.Stats | undefined>((resolve, reject) => {
      compiler.run((error, result) => (error ? reject(error) : resolve(result)));
    });
    await new Promise((resolve) => compiler.close(resolve));
    expect(stats?.toJson({ all: false, errors: true, warnings: true })).toMatchObject({
      errors: [],
      warnings: [],
    });
    await expectWorks(join(path, 'app.js'));
  });

  it('bundled by Vite for the server, with nothing external', async () => {
    const outDir = outputFolder('vite', 'module');
    await viteBuild({
      root: outside.path,
      logLevel: 'silent',
      configFile: false,
      build: {
        ssr: 'app.js',
        outDir,
        emptyOutDir: false,
        rolldownOptions: { output: { entryFileNames: 'app.js' } },
      },
      ssr: { noExternal: true },
    });
    await expectWorks(join(outDir, 'app.js'));
  });
});

describe('a bundler without the condition "module"', () => {
  const bundle = async (name: string, source: string): Promise<string> => {
    const outdir = outputFolder(name, 'module');
    writeFileSync(join(outside.path, `${name}.js`), source);
    await esbuild.build({
      entryPoints: { app: join(outside.path, `${name}.js`), 'copy-worker': '@wcc/copy/worker' },
      absWorkingDir: outside.path,
      bundle: true,
      platform: 'node',
      format: 'esm',
      conditions: ['node'],
      outdir,
      logLevel: 'silent',
    });
    return join(outdir, 'app.js');
  };

  it('a bundle without the worker fails with worker_missing and says what to do', async () => {
    const { code, hint } = await runBundle(await bundle('without-worker', app));
    expect(code).toBe('worker_missing');
    expect(hint).toContain('preload({ worker: url })');
  });

  it('preload({ worker }) makes a bundle use its own file of the worker', async () => {
    const preloading = `
      import { preload } from '@wcc/copy';
      preload({ worker: new URL('./copy-worker.js', import.meta.url) });
      ${app}`;
    await expectWorks(await bundle('with-worker', preloading));
  });
});
