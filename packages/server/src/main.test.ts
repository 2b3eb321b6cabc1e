import type { ChildProcess } from 'node:child_process';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { helpText } from './config/options.ts';
import { handshakeText, openSocket } from './http/upgrade.testkit.ts';

const main = fileURLToPath(new URL('../bundle/main.js', import.meta.url));
const adminToken = 'a-token-of-automation-0123456789abcdef';
let home: string;
const children = new Set<ChildProcess>();

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'wcc-main-'));
});
afterEach(async () => {
  for (const child of children) {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
  children.clear();
  rmSync(home, { recursive: true });
});

interface Run {
  child: ChildProcess;
  out(): string;
  /** Exit code, or the signal's name. */
  ended: Promise<number | string | null>;
}

function run(args: string[], environment: Record<string, string> = {}): Run {
  const child = spawn(process.execPath, [main, ...args], {
    env: { HOME: home, WCC_DATA_DIR: join(home, 'data'), WCC_PORT: '0', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.add(child);
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (part) => (text += part));
  const ended = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | string | null);
  return { child, out: () => text, ended };
}

/** Waits until the server says that it is ready. @returns its port */
async function ready(server: Run): Promise<number> {
  for (;;) {
    const port = /ready at http:\/\/127\.0\.0\.1:(\d+)/.exec(server.out())?.[1];
    if (port !== undefined) return Number(port);
    if (server.child.exitCode !== null) throw new Error(server.out());
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe('the server command', () => {
  it('prints help and version', async () => {
    const help = run(['--help']);
    expect(await help.ended).toBe(0);
    expect(help.out()).toBe(helpText());
    const version = run(['--version']);
    await version.ended;
    expect(version.out()).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect(existsSync(join(home, 'data'))).toBe(false);
  });

  it('without a terminal, prints the path of the link file instead of the link', async () => {
    const server = run([]);
    await ready(server);
    expect(server.out()).toContain(join(home, 'data', 'initial-admin-link'));
    expect(server.out()).not.toContain('first-sign-in#');
    expect(existsSync(join(home, 'data', 'images', '.wcc-pool'))).toBe(true);
  });
});

const hasScript = spawnSync('script', ['--version']).status === 0;
if (!hasScript) console.log('Skipped the one-time link on a terminal: script(1) is not installed.');

describe('the one-time link', () => {
  const linkFile = (): string => join(home, 'data', 'initial-admin-link');

  it.skipIf(!hasScript)('the one-time link is printed on a terminal, and no file contains it', async () => {
    const command = `exec ${process.execPath} ${main}`;
    const child = spawn('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
      env: { PATH: process.env['PATH'], HOME: home, WCC_DATA_DIR: join(home, 'data'), WCC_PORT: '0' },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    children.add(child);
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part));
    await vi.waitUntil(() => /first-sign-in#[\w-]{43}/.test(text), { timeout: 20_000 });
    expect(existsSync(linkFile())).toBe(false);
    // Ctrl+C: the terminal sends SIGINT.
    child.stdin.write('\x03');
    const [code] = (await once(child, 'exit')) as [number | null];
    expect(code).toBe(0);
  });
});

describe('a failed start exits with 2, a code and a hint', () => {
  async function refusal(args: string[], environment: Record<string, string> = {}): Promise<string> {
    const refused = run(args, environment);
    expect(await refused.ended).toBe(2);
    expect(refused.out()).toMatch(/What to do: \w/);
    return refused.out();
  }

  it('a start exits with 2 when another program uses the port', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    expect(await refusal(['--port', String(port)])).toContain('port_in_use');
    other.close();
    await once(other, 'close');
  });

  it('a start exits with 2 when the administrator token is too short, and does not print the token', async () => {
    expect(await refusal([], { WCC_ADMIN_TOKEN: 'short-but-secret' })).not.toContain('short-but-secret');
  });
});

describe('stopping the server command', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    'a stop by %s closes watchers with a code and exits with 0',
    async (signal) => {
      const server = run([], { WCC_ADMIN_TOKEN: adminToken });
      const port = await ready(server);
      const watching = await openSocket({ port, bearer: adminToken });
      const startedMs = performance.now();
      server.child.kill(signal);
      expect(await watching.closed).toBe(4503);
      expect(JSON.parse(watching.messages.at(-1) ?? '{}')).toMatchObject({ t: 'bye', code: 4503 });
      expect(await server.ended).toBe(0);
      expect(performance.now() - startedMs).toBeLessThan(15_000);
      expect(server.out()).not.toMatch(/"level":(50|60)/);
    },
  );

  it('a stop does not wait for a hanging request', async () => {
    const server = run([], { WCC_ADMIN_TOKEN: adminToken });
    const port = await ready(server);
    const hanging = fetch(`http://127.0.0.1:${port}/api/users`, {
      method: 'POST',
      headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
      body: new ReadableStream({ start: (controller) => controller.enqueue(Buffer.from('{')) }),
      duplex: 'half',
    } as RequestInit).catch(() => 'cut');
    await new Promise((resolve) => setTimeout(resolve, 200));
    server.child.kill('SIGTERM');
    expect(await server.ended).toBe(0);
    expect(await hanging).toBe('cut');
  });

  it('a second signal ends the process at once', async () => {
    const server = run([], { WCC_ADMIN_TOKEN: adminToken });
    const port = await ready(server);
    // A watcher that does not answer delays a graceful stop by more than a second.
    const silent = connect(port, '127.0.0.1');
    silent.on('error', () => {});
    silent.write(handshakeText({ port, bearer: adminToken }));
    await once(silent, 'data');
    const startedMs = performance.now();
    server.child.kill('SIGINT');
    server.child.kill('SIGTERM');
    expect(await server.ended).toBe(1);
    expect(performance.now() - startedMs).toBeLessThan(10_000);
    silent.destroy();
  });
});
