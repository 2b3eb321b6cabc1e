import { execFile, spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCli } from '../../kit/cli.ts';
import type { RunningCli } from '../../kit/cli.ts';
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
});
