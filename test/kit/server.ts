import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createApiClient } from '@wcc/api/client';
import type { ApiClient } from '@wcc/api/client';
import { makeWorkspace } from './directories.ts';
import { until } from './poll.ts';
import { findFreePort } from './network/ports.ts';
import { noteSecret } from './secrets.ts';

const mainPath = fileURLToPath(new URL('../../packages/server/bundle/main.js', import.meta.url));

/** Running child processes. None may outlive the test process. */
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export interface ServerOptions {
  /** Parent of data and pool directories. @default a new workspace, removed with the server */
  home?: string;
  dataDir?: string;
  poolDir?: string;
  port?: number;
  /** Additional flags. */
  args?: readonly string[];
  /** The admin token. `null` sets none, so that the first sign-in needs the link. @default a random token */
  token?: string | null;
  env?: Record<string, string>;
  uid?: number;
  gid?: number;
  /** Command prefix that executes the server. @default none */
  launcher?: readonly string[];
  /** The server's command without its flags. @default this Node and the built server */
  command?: readonly string[];
  /** Directory that is `/` for the server; its other directories are paths below it. @default `/` */
  root?: string;
}

export interface ServerExit {
  code: number | null;
  signal: NodeJS.Signals | null;
  durationMs: number;
}

export interface TestServer {
  readonly port: number;
  readonly baseUrl: string;
  readonly dataDir: string;
  readonly poolDir: string;
  readonly token: string;
  /** Client with the admin token. */
  readonly api: ApiClient;
  readonly pid: number;
  /** The output of all processes of this server so far. */
  log(): string;
  /** Sends SIGKILL. Resolves when the process has ended. */
  kill(): Promise<void>;
  /** Sends SIGTERM. Resolves when the process has ended. */
  stop(): Promise<ServerExit>;
  /** Starts a process again on the same port and directories, and waits until it is healthy. */
  start(): Promise<void>;
  /** As `start`, without waiting for health. */
  spawn(): void;
  ready(): Promise<void>;
  /** Kills the process and removes its workspace, if it has its own. */
  close(): Promise<void>;
}

/** The flags of every server under test. */
function serverArgs(options: ServerOptions & { port: number; dataDir: string; poolDir: string }): string[] {
  return [
    '--port',
    String(options.port),
    '--data-dir',
    options.dataDir,
    '--pool',
    options.poolDir,
    ...(options.args ?? []),
  ];
}

function launch(argv: readonly string[], options: ServerOptions, log: (text: string) => void): ChildProcess {
  const { launcher = [], command = [process.execPath, mainPath], root } = options;
  const inRoot = root === undefined ? [] : ['chroot', root];
  const [program, ...args] = [...launcher, ...inRoot, ...command, ...argv];
  const child = spawn(program ?? process.execPath, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    // The server inherits nothing from the test's environment.
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: options.home ?? '/nonexistent',
      ...(options.token === null ? {} : { WCC_ADMIN_TOKEN: options.token }),
      ...options.env,
    },
    ...(options.uid === undefined ? {} : { uid: options.uid }),
    ...(options.gid === undefined ? {} : { gid: options.gid }),
  });
  running.add(child);
  child.on('exit', () => running.delete(child));
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', log);
  }
  return child;
}

/** Child processes that a test ends on purpose. The kit reports any other exit with the last output. */
const ending = new WeakSet<ChildProcess>();

function reportUnexpectedExit(child: ChildProcess, log: () => string): void {
  child.on('exit', (code, signal) => {
    if (ending.has(child) || code === 2) return;
    console.error(
      `The server ended unexpectedly (${code ?? signal}). Its last output:\n${log().slice(-4000)}`,
    );
  });
}

async function endProcess(child: ChildProcess, signal: NodeJS.Signals): Promise<ServerExit> {
  const startedAt = performance.now();
  ending.add(child);
  if (child.exitCode === null && child.signalCode === null) {
    child.kill(signal);
    await once(child, 'exit');
  }
  return { code: child.exitCode, signal: child.signalCode, durationMs: performance.now() - startedAt };
}

/** Runs the server until it exits, for configurations that it must refuse. */
export async function runToExit(
  options: ServerOptions & { home: string },
): Promise<{ code: number | null; output: string }> {
  let output = '';
  const child = launch(
    serverArgs(withDirectories(options, options.port ?? (await findFreePort()))),
    options,
    (text) => {
      output += text;
    },
  );
  await until(() => child.exitCode !== null || child.signalCode !== null, {
    what: 'the server to exit',
  }).finally(() => child.kill('SIGKILL'));
  return { code: child.exitCode, output };
}

function withDirectories<T extends ServerOptions & { home: string }>(
  options: T,
  port: number,
): T & { port: number; dataDir: string; poolDir: string } {
  return {
    ...options,
    port,
    dataDir: options.dataDir ?? join(options.home, 'data'),
    poolDir: options.poolDir ?? join(options.home, 'pool'),
  };
}

/** Starts a server process with a data directory and a pool. Resolves when it is healthy. */
export async function startServer(options: ServerOptions = {}): Promise<TestServer> {
  const workspace = options.home === undefined ? makeWorkspace('server') : null;
  const home = options.home ?? workspace!.path;
  const token = options.token === undefined ? noteSecret(randomBytes(24).toString('hex')) : options.token;
  const resolved = withDirectories({ ...options, home, token }, options.port ?? (await findFreePort()));
  // The operator makes the pool directory. The server makes its data directory.
  const poolDir = join(options.root ?? '/', resolved.poolDir);
  if (!existsSync(poolDir)) mkdirSync(poolDir, { mode: 0o755, recursive: true });
  const baseUrl = `http://127.0.0.1:${resolved.port}`;
  let logText = '';
  let child!: ChildProcess;
  const server: TestServer = {
    port: resolved.port,
    baseUrl,
    dataDir: resolved.dataDir,
    poolDir: resolved.poolDir,
    token: token ?? '',
    api: createApiClient({ baseUrl, ...(token === null ? {} : { token }), timeoutMs: 30_000 }),
    get pid() {
      return child.pid!;
    },
    log: () => logText,
    kill: async () => void (await endProcess(child, 'SIGKILL')),
    stop: () => endProcess(child, 'SIGTERM'),
    spawn: () => {
      child = launch(serverArgs(resolved), resolved, (text) => void (logText += text));
      reportUnexpectedExit(child, () => logText);
    },
    ready: () =>
      waitForHealth(
        baseUrl,
        () => child,
        () => logText,
      ),
    start: async () => {
      server.spawn();
      await server.ready();
    },
    close: async () => {
      await endProcess(child, 'SIGKILL');
      workspace?.remove();
    },
  };
  try {
    await server.start();
  } catch (error) {
    // The caller does not get the server, so it is closed here.
    await server.close();
    throw error;
  }
  return server;
}

async function waitForHealth(baseUrl: string, child: () => ChildProcess, log: () => string): Promise<void> {
  await until(
    async () => {
      if (child().exitCode !== null || child().signalCode !== null) {
        throw new Error(
          `The server ended with ${child().exitCode ?? child().signalCode}:\n${log().slice(-4000)}`,
        );
      }
      const answer = await fetch(`${baseUrl}/api/health`).catch(() => null);
      await answer?.body?.cancel();
      return answer?.ok === true;
    },
    {
      what: () => `the server at ${baseUrl} to be healthy; its log:\n${log().slice(-4000)}`,
      timeoutMs: 100_000,
    },
  );
}
