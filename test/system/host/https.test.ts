import { execFile, spawnSync } from 'node:child_process';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli, startCli } from '../../kit/cli.ts';
import type { CliResult, RunningCli } from '../../kit/cli.ts';
import { makeWorkspace } from '../../kit/directories.ts';
import type { Workspace } from '../../kit/directories.ts';
import { makeNamespace, namespaceRefusal } from '../../kit/network/namespace.ts';
import type { NetworkNamespace } from '../../kit/network/namespace.ts';
import { findFreePort } from '../../kit/network/ports.ts';
import { until } from '../../kit/poll.ts';

const refusal =
  namespaceRefusal() ??
  ['openssl', 'curl']
    .map((name) => (spawnSync(name, ['version']).error ? `${name} is missing` : null))
    .find(Boolean) ??
  null;
if (refusal !== null) console.log(`Skipped, HTTPS from another host: ${refusal}.`);

const token = '0123456789abcdef0123456789abcdef';
const run = promisify(execFile);

describe.skipIf(refusal !== null)('HTTPS from another host, with the certificate that wcc made', () => {
  let workspace: Workspace;
  let other: NetworkNamespace;
  let server: RunningCli;
  let port: number;

  async function start(): Promise<void> {
    const args = ['serve', '--host', '0.0.0.0', '--port', String(port)];
    server = startCli([...args, '--data-dir', join(workspace.path, 'data')], {
      env: { WCC_ADMIN_TOKEN: token },
    });
    await until(() => /To use a certificate/.test(server.stdout), { what: 'the server to be ready' });
  }
  const stop = async (): Promise<void> => {
    server.kill('SIGTERM');
    await server.result;
  };
  const pin = (): string => /(sha256\/\/\S+)/.exec(server.stdout)?.[1] ?? '';
  const url = (): string => `https://${other.hostAddress}:${port}`;

  /** The exit code of curl, run on the other host. */
  async function curl(...args: string[]): Promise<number> {
    const [program = '', ...prefix] = other.prefix;
    const all = [...prefix, 'curl', '--silent', '--max-time', '10', ...args, `${url()}/api/health`];
    return run(program, all).then(
      () => 0,
      (error: { code: number }) => error.code,
    );
  }

  beforeAll(async () => {
    workspace = makeWorkspace('https');
    other = makeNamespace(1);
    port = await findFreePort();
    await start();
  });
  afterAll(async () => {
    await stop();
    other.close();
    workspace.remove();
  });

  it('curl accepts the printed pin and the certificate, and nothing else', async () => {
    const cert = join(workspace.path, 'data/tls/cert.pem');
    expect(await curl('--insecure', '--pinnedpubkey', pin())).toBe(0);
    expect(await curl('--cacert', cert)).toBe(0);
    const wrong = `sha256//${'A'.repeat(43)}=`;
    // 90: the pin does not match; 60: no authority that curl knows.
    expect(await curl('--insecure', '--pinnedpubkey', wrong)).toBe(90);
    expect(await curl()).toBe(60);
    expect(statSync(join(workspace.path, 'data/tls/key.pem')).mode & 0o777).toBe(0o600);
  });

  it('prints an address of this host with the one-time link, and sends no HSTS', async () => {
    expect(server.stdout).toMatch(/ready at https:\/\/(?!localhost)\S+:\d+\n/);
    expect(server.stdout).toContain('SHA-256 of the certificate: ');
    const headers = await run('curl', ['--insecure', '--silent', '--head', `${url()}/`]);
    expect(headers.stdout).toMatch(/^HTTP\/1\.1 200/);
    expect(headers.stdout).not.toMatch(/strict-transport/i);
  });

  it('a certificate for a new address of the host has the same pin', async () => {
    const before = readFileSync(join(workspace.path, 'data/tls/cert.pem'), 'utf8');
    const held = pin();
    const second = makeNamespace(2);
    try {
      // Without a restart: the server looks every 10 seconds.
      await until(() => readFileSync(join(workspace.path, 'data/tls/cert.pem'), 'utf8') !== before, {
        what: 'another certificate',
        timeoutMs: 20_000,
      });
      const health = `https://${second.hostAddress}:${port}/api/health`;
      const [program = '', ...prefix] = second.prefix;
      const cacert = ['--cacert', join(workspace.path, 'data/tls/cert.pem')];
      await until(
        async () =>
          run(program, [...prefix, 'curl', '--silent', '--fail', ...cacert, health]).then(
            () => true,
            () => false,
          ),
        { what: 'the new address to be accepted' },
      );
      expect(await curl('--insecure', '--pinnedpubkey', held)).toBe(0);
    } finally {
      second.close();
    }
  });

  describe('the command line', () => {
    const wcc = (args: string[], options: { env?: Record<string, string>; stdin?: string } = {}) =>
      runCli(args, {
        ...options,
        env: { HOME: workspace.path, ...options.env },
        launcher: other.prefix,
      });
    const login = (...args: string[]): Promise<CliResult> =>
      wcc(['login', url(), '--with-token', ...args], { stdin: `${token}\n` });
    const storedPins = (): unknown => {
      const file = readFileSync(join(workspace.path, '.config/wcc/servers.json'), 'utf8');
      return (JSON.parse(file) as { servers: Record<string, { pins?: string[] }> }).servers[url()]?.pins;
    };

    it('names the pin and sends no token to a key that it does not know', async () => {
      const refused = await login();
      expect(refused.code).toBe(3);
      expect(refused.stderr).toContain(`wcc login ${url()} --pin ${pin()}`);
      const mistyped = await login('--pin', 'sha256//short');
      expect(mistyped).toMatchObject({ code: 2, stdout: '' });
    });

    it('pins at the sign-in, and works over requests, uploads and sockets', async () => {
      expect(await login('--pin', pin())).toMatchObject({ code: 0 });
      expect(storedPins()).toEqual([pin()]);
      const file = join(workspace.path, 'disk.raw');
      writeFileSync(file, Buffer.alloc(1 << 20, 'wcc'));
      const uploaded = await wcc(['image', 'upload', file, '--json']);
      expect(uploaded, uploaded.stderr).toMatchObject({ code: 0 });
      const copied = await wcc(['image', 'copy', 'disk.raw', 'copy.raw', '--json']);
      expect(copied, copied.stderr).toMatchObject({ code: 0 });
      expect((await wcc(['image', 'ls'])).stdout).toContain('copy.raw');
    });

    it('takes WCC_PIN of a program, and refuses another one with both pins', async () => {
      const env = { WCC_URL: url(), WCC_TOKEN: token };
      expect(await wcc(['image', 'ls'], { env: { ...env, WCC_PIN: pin() } })).toMatchObject({ code: 0 });
      const unpinned = await wcc(['image', 'ls', '--json'], { env });
      expect(unpinned).toMatchObject({ code: 3, stdout: '' });
      expect(unpinned.stderr).toContain('"untrusted_certificate"');
      const cert = join(workspace.path, 'data/tls/cert.pem');
      const authority = await wcc(['image', 'ls'], { env: { ...env, NODE_EXTRA_CA_CERTS: cert } });
      expect(authority).toMatchObject({ code: 0 });
      const wrong = `sha256//${'A'.repeat(43)}=`;
      const refused = await wcc(['image', 'ls'], { env: { ...env, WCC_PIN: wrong } });
      expect(refused.code).toBe(3);
      expect(refused.stderr).toContain(wrong);
      expect(refused.stderr).toContain(pin());
    });

    it('refuses a changed key with both pins until it is accepted', async () => {
      const earlier = pin();
      await stop();
      rmSync(join(workspace.path, 'data/tls'), { recursive: true });
      await start();
      expect(pin()).not.toBe(earlier);
      const refused = await wcc(['image', 'ls', '--json']);
      expect(refused.code).toBe(3);
      for (const text of [earlier, pin(), 'key_changed', '--accept-new-key'])
        expect(refused.stderr).toContain(text);
      expect(await login()).toMatchObject({ code: 3, stdout: '' });
      expect(storedPins()).toEqual([earlier]);
      expect(await login('--accept-new-key')).toMatchObject({ code: 0 });
      expect(storedPins()).toEqual([pin()]);
      expect(await wcc(['image', 'ls'])).toMatchObject({ code: 0 });
    });
  });
});
