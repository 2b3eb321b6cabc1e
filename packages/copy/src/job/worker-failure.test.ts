import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { startChild } from '../testkit/child.testkit.ts';
import { useDirectory } from '../testkit/files.testkit.ts';
import { toWorkerFailure } from './worker-failure.ts';

const report = `(error) => console.log(JSON.stringify({ name: error.name, code: error.code, hint: error.hint }))`;

describe('a worker that cannot start', () => {
  const dir = useDirectory();

  it("names the option that Node's permission model needs", async () => {
    const flag = process.allowedNodeEnvironmentFlags.has('--permission')
      ? '--permission'
      : '--experimental-permission';
    const script = `
      const report = ${report};
      await copy.copyFile('/etc/hostname', '/tmp/never').catch(report);
      await copy.hashFile('/etc/hostname').catch(report);
      try { copy.lockFile('/tmp/never') } catch (error) { report(error) }`;
    const root = fileURLToPath(new URL('../../../..', import.meta.url));
    const flags = ['--no-warnings', flag, `--allow-fs-read=${root}*`];
    const { stdout, stderr } = await startChild(script, [], flags).ended;
    expect(stderr).toBe('');
    const denied = (option: string): object => ({
      name: 'CopyError',
      code: 'permission',
      hint: `Start node with ${option} as well.`,
    });
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line): unknown => JSON.parse(line)),
    ).toEqual([
      denied('--allow-worker'),
      denied('--allow-worker'),
      { ...denied('--allow-addons'), code: 'unsupported' },
    ]);
  });

  it('says what to do when a bundler has left out the file of the worker', () => {
    const build = fileURLToPath(new URL('../../dist', import.meta.url));
    mkdirSync(join(dir(), 'package'));
    cpSync(build, join(dir(), 'package', 'dist'), { recursive: true });
    rmSync(join(dir(), 'package/dist/worker'), { recursive: true });
    cpSync(
      fileURLToPath(new URL('../../package.json', import.meta.url)),
      join(dir(), 'package/package.json'),
    );
    const script = `
      import { copyFile, preload } from ${JSON.stringify(join(dir(), 'package/dist/index.js'))};
      await copyFile('/etc/hostname', 'copy').catch(${report});
      await preload().catch(${report});`;
    const output = execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
      cwd: dir(),
      encoding: 'utf8',
    });
    const expected = {
      name: 'CopyError',
      code: 'worker_missing',
      hint: expect.stringContaining('Mark @wcc/copy as external') as unknown,
    };
    expect(
      output
        .trim()
        .split('\n')
        .map((line): unknown => JSON.parse(line)),
    ).toEqual([expected, expected]);
  });

  it.each([
    ['ERR_WORKER_INIT_FAILED', 'resources'],
    ['ERR_WORKER_OUT_OF_MEMORY', 'resources'],
    ['ERR_UNKNOWN', 'worker_failed'],
  ])('reports a worker that ended with %s as %s, with its cause', (code, expected) => {
    const cause = Object.assign(new Error('ended'), { code });
    expect(toWorkerFailure(cause)).toMatchObject({ code: expected, cause });
  });
});
