import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Workspace } from '../kit/directories.ts';
import { installCli } from '../kit/packed-install.ts';

const run = promisify(execFile);
let outside: Workspace;

beforeAll(async () => {
  outside = await installCli();
});
afterAll(() => outside.remove());

/** An environment without any path of this repository. */
const env = { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', npm_config_update_notifier: 'false' };

async function end(file: string, args: string[]): Promise<{ code: unknown; stdout: string; stderr: string }> {
  return run(file, args, { cwd: outside.path, env: { ...env, npm_config_cache: outside.path } }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }: { code: unknown; stdout: string; stderr: string }) => ({
      code,
      stdout,
      stderr,
    }),
  );
}

it('the packed command runs outside the repository, by its link and by npx', async () => {
  const help = await end('node_modules/.bin/wcc', ['--help']);
  expect(help).toMatchObject({ code: 0, stderr: '' });
  for (const command of ['image', 'vm', 'op', 'login', 'completion'])
    expect(help.stdout).toContain(`\n  ${command} `);
  expect(await end('npx', ['--no-install', 'wcc', '--version'])).toMatchObject({
    code: 0,
    stdout: '0.2.0\n',
  });
  expect(await end('node_modules/.bin/wcc', ['vm', 'ls'])).toMatchObject({ code: 3, stdout: '' });
});

it('wcc serve names the missing package when no server is installed', async () => {
  const serve = await end('node_modules/.bin/wcc', ['serve']);
  expect(serve.code).not.toBe(0);
  expect(serve.stderr).toContain('@wcc/server');
  expect(serve.stderr).not.toContain('    at ');
});
