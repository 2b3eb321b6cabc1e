import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli, startCli } from '../kit/cli.ts';
import { makeWorkspace } from '../kit/directories.ts';
import type { Workspace } from '../kit/directories.ts';
import { until } from '../kit/poll.ts';
import { noteSecret } from '../kit/secrets.ts';
import { startServer } from '../kit/server.ts';
import type { TestServer } from '../kit/server.ts';

const password = noteSecret('a long password of sato');
let server: TestServer;
let workspace: Workspace;
let env: Record<string, string>;

beforeAll(async () => {
  server = await startServer();
  await server.api.createUser({ name: 'sato', role: 'operator', password });
  workspace = makeWorkspace('cli');
  env = { XDG_CONFIG_HOME: workspace.path };
});
afterAll(async () => {
  await server.close();
  workspace.remove();
});

const kept = (): string => join(workspace.path, 'wcc', 'servers.json');

describe('wcc login', () => {
  it('creates a token by name and password, keeps it readable for this user only, and revokes it on logout', async () => {
    const login = await runCli(['login', server.baseUrl, '--user', 'sato'], { env, stdin: `${password}\n` });
    expect(login).toMatchObject({ code: 0, stderr: '' });
    expect(login.stdout).toContain(`Signed in to ${server.baseUrl} as sato`);
    expect(statSync(kept()).mode & 0o777).toBe(0o600);
    expect(readFileSync(kept(), 'utf8')).not.toContain(password);
    const { token } = JSON.parse(readFileSync(kept(), 'utf8')).servers[server.baseUrl] as { token: string };
    noteSecret(token);
    expect(await runCli(['image', 'ls'], { env })).toMatchObject({ code: 0, stdout: 'No images.\n' });

    const logout = await runCli(['logout'], { env });
    expect(logout).toMatchObject({
      code: 0,
      stdout: `Signed out of ${server.baseUrl}. The token was revoked.\n`,
    });
    expect(readFileSync(kept(), 'utf8')).not.toContain(token);
    expect(await runCli(['image', 'ls'], { server: { baseUrl: server.baseUrl, token } })).toMatchObject({
      code: 3,
    });
    expect(await runCli(['image', 'ls'], { env })).toMatchObject({ code: 3 });
  });

  it('reads a token from a pipe and refuses an invalid one', async () => {
    const own = { XDG_CONFIG_HOME: join(workspace.path, 'second') };
    const bad = await runCli(['login', server.baseUrl, '--with-token'], { env: own, stdin: 'wcc_nothing\n' });
    expect(bad.code).toBe(3);
    const good = await runCli(['login', server.baseUrl, '--with-token'], { env: own, stdin: server.token });
    expect(good).toMatchObject({ code: 0, stderr: '' });
    expect((await runCli(['image', 'ls', '--json'], { env: own })).stdout).toBe('{\n  "items": []\n}\n');
  });

  it('wcc login asks on a terminal and never echoes a secret', async () => {
    const own = { XDG_CONFIG_HOME: join(workspace.path, 'third') };
    const login = startCli(['login', server.baseUrl], { env: own, terminal: { columns: 80 } });
    await until(() => login.stdout.includes('User: '), { what: 'the question for the user' });
    login.write('sato\r');
    await until(() => login.stdout.includes('Password: '), { what: 'the question for the password' });
    login.write(`${password}\r`);
    const end = await login.result;
    expect(end.code).toBe(0);
    expect(end.stdout).toContain('Signed in to');
    expect(end.stdout).not.toContain(password);
  });

  it('names the cause: wrong password, wrong address, plain http to another host', async () => {
    const wrong = await runCli(['login', server.baseUrl, '--user', 'sato'], {
      env,
      stdin: 'not the password\n',
    });
    expect(wrong).toMatchObject({ code: 3, stdout: '' });
    expect(wrong.stderr).toContain('The name or the password is wrong.');
    expect(await runCli(['login', 'ftp://x'], { env })).toMatchObject({ code: 2 });
    const open = await runCli(['login', 'http://wcc.example.org'], { env });
    expect(open).toMatchObject({ code: 2 });
    expect(open.stderr).toContain('--insecure');
  });
});

describe('the server that a command uses', () => {
  it('a command uses the server of --url, then of WCC_URL, then of the last sign-in', async () => {
    const anonymous = await runCli(['image', 'ls'], {
      env: { XDG_CONFIG_HOME: join(workspace.path, 'none') },
    });
    expect(anonymous).toMatchObject({ code: 3 });
    expect(anonymous.stderr).toContain('wcc login URL');
    const dead = { WCC_URL: 'http://127.0.0.1:1', WCC_TOKEN: server.token };
    expect(await runCli(['image', 'ls'], { env: dead })).toMatchObject({ code: 5 });
    expect(await runCli(['image', 'ls', '--url', server.baseUrl], { env: dead })).toMatchObject({ code: 0 });
  });
});
