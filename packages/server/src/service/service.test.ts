import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { takeServiceEnvironment } from './environment.ts';
import type { NotifySocket } from './notify-socket.testkit.ts';
import { openNotifySocket } from './notify-socket.testkit.ts';
import { createNotifier } from './notifier.ts';

const packageDir = fileURLToPath(new URL('../../', import.meta.url));
const root = join(packageDir, '../..');
let home: string;
let socket: NotifySocket | undefined;
let server: ChildProcess | undefined;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'wcc-service-'));
});
afterEach(async () => {
  if (server !== undefined && server.exitCode === null && server.signalCode === null) {
    server.kill('SIGKILL');
    await once(server, 'exit');
  }
  server = undefined;
  await socket?.close();
  socket = undefined;
  rmSync(home, { recursive: true });
});

const has = (fields: Record<string, string>): boolean =>
  socket?.messages.some((message) =>
    Object.entries(fields).every(([key, value]) => message[key] === value),
  ) ?? false;
const count = (name: string): number => socket?.messages.filter((message) => name in message).length ?? 0;
const until = (isTrue: () => boolean): Promise<void> =>
  vi.waitFor(() => expect(isTrue()).toBe(true), { timeout: 20_000, interval: 20 });

function start(
  main: string,
  environment: Record<string, string>,
): { child: ChildProcess; log: () => string } {
  const child = spawn(process.execPath, [main], {
    env: { HOME: home, WCC_DATA_DIR: join(home, 'data'), WCC_PORT: '0', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  server = child;
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (part) => (text += part));
  return { child, log: () => text };
}

const bundle = join(packageDir, 'bundle/main.js');

it('says ready, status, reload, signs of life and stop to the service manager', async () => {
  socket = await openNotifySocket(join(home, 'notify'));
  const { child, log } = start(bundle, { NOTIFY_SOCKET: socket.address, WATCHDOG_USEC: '800000' });
  await until(() => has({ READY: '1' }));
  expect(socket.messages[0]).toMatchObject({
    READY: '1',
    STATUS: expect.stringMatching(/^Ready at http:.*; operations: 0 running, 0 waiting$/) as string,
  });
  await until(() => count('WATCHDOG') >= 3);
  child.kill('SIGHUP');
  await until(() => count('READY') === 2);
  const reloading = socket.messages.find(({ RELOADING }) => RELOADING === '1');
  expect(Number(reloading?.['MONOTONIC_USEC'])).toBeCloseTo(Number(process.hrtime.bigint() / 1000n), -8);
  expect(log()).toContain('settings were read again');
  child.kill('SIGTERM');
  await once(child, 'exit');
  await until(() => has({ STOPPING: '1' }));
  expect(socket.messages.slice(-1)).not.toMatchObject([{ READY: '1' }]);
});

it('sends no sign of life while the database thread hangs, though the main loop runs', async () => {
  // The server of the package, with a thread that hangs as soon as a file exists.
  const hung = join(home, 'hang');
  mkdirSync(join(home, 'packages/server'), { recursive: true });
  cpSync(join(packageDir, 'bundle'), join(home, 'packages/server/bundle'), { recursive: true });
  cpSync(join(packageDir, 'package.json'), join(home, 'packages/server/package.json'));
  symlinkSync(join(root, 'node_modules'), join(home, 'node_modules'));
  appendFileSync(
    join(home, 'packages/server/bundle/storage/worker.js'),
    `\nimport { existsSync as exists } from 'node:fs';
setInterval(() => exists(${JSON.stringify(hung)}) && Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0), 20);\n`,
  );
  socket = await openNotifySocket(`@wcc-test-${process.pid}`);
  const { child } = start(join(home, 'packages/server/bundle/main.js'), {
    NOTIFY_SOCKET: socket.address,
    WATCHDOG_USEC: '400000',
    WATCHDOG_PID: '',
  });
  await until(() => count('WATCHDOG') >= 3);
  mkdirSync(hung);
  // Ten times the pause between signs of life.
  const quietMs = 1_000;
  let [seen, quietSince] = [count('WATCHDOG'), performance.now()];
  await until(() => {
    const now = count('WATCHDOG');
    if (now !== seen) [seen, quietSince] = [now, performance.now()];
    return performance.now() - quietSince > quietMs;
  });
  // The main loop runs: it answers a reload.
  child.kill('SIGHUP');
  await until(() => count('RELOADING') === 1 && count('READY') === 2);
  expect(count('WATCHDOG')).toBe(seen);
});

it('takes the variables of the service manager away from children', () => {
  const environment: Record<string, string | undefined> = {
    NOTIFY_SOCKET: '/run/systemd/notify',
    WATCHDOG_USEC: '3000000',
    WATCHDOG_PID: '42',
    PATH: '/usr/bin',
  };
  expect(takeServiceEnvironment({ ...environment }, 42)).toEqual({
    socket: '/run/systemd/notify',
    watchdogMs: 3000,
  });
  expect(takeServiceEnvironment(environment, 43)).toEqual({
    socket: '/run/systemd/notify',
    watchdogMs: null,
  });
  expect(environment).toEqual({ PATH: '/usr/bin' });
  expect(takeServiceEnvironment({ WATCHDOG_USEC: '3000000' }, 42)).toEqual({
    socket: null,
    watchdogMs: null,
  });
});

it('keeps the order of messages while the service manager reads nothing', async () => {
  socket = await openNotifySocket(join(home, 'notify'), { deafMs: 300 });
  const notify = createNotifier(socket.address, (error) => {
    throw error;
  });
  // More than the queue of a datagram socket holds.
  const texts = Array.from({ length: 600 }, (_, index) => `message ${index}\nREADY=1`);
  await Promise.all(texts.map((text) => notify({ STATUS: text })));
  await until(() => socket?.messages.length === texts.length);
  expect(socket.messages).toEqual(texts.map((_, index) => ({ STATUS: `message ${index} READY=1` })));
});

it('reports an unreachable service manager, and opens no descriptor that stays', async () => {
  const errors: unknown[] = [];
  const before = readdirSync('/proc/self/fd').length;
  const notify = createNotifier(join(home, 'missing'), (error) => errors.push(error));
  for (let round = 0; round < 5; round += 1) await notify({ WATCHDOG: 1 });
  expect(errors).toMatchObject(Array.from({ length: 5 }, () => ({ code: 'ENOENT', syscall: 'sendto' })));
  expect(readdirSync('/proc/self/fd').length).toBe(before);
  await createNotifier(null, (error) => errors.push(error))({ READY: 1 });
  expect(errors).toHaveLength(5);
  expect(existsSync(join(home, 'missing'))).toBe(false);
});
