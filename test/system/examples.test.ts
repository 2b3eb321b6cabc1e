import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Operation, TokenScope } from '@wcc/api';
import { startScriptedSession } from '@wcc/progress/conformance';
import type { Snapshot } from '@wcc/progress';
import { createFaultProxy } from '../kit/network/fault-proxy.ts';
import type { FaultProxy } from '../kit/network/fault-proxy.ts';
import { makeRandomImage, MiB } from '../kit/images.ts';
import { currentPhase, registerImage, waitForState } from '../kit/operations.ts';
import { installLibraries, libraries } from '../kit/packed-install.ts';
import type { PackedInstall } from '../kit/packed-install.ts';
import { until } from '../kit/poll.ts';
import { findFreePort } from '../kit/network/ports.ts';
import { startServer } from '../kit/server.ts';
import type { TestServer } from '../kit/server.ts';
import { createUser, makeToken, signIn } from '../kit/session.ts';
import type { CookieSession } from '../kit/session.ts';

/** Runs each program of examples/ as its README describes. */
const root = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);
const python = '/usr/bin/python3';
const hasPython = existsSync('/usr/lib/python3/dist-packages/websockets/__init__.py');
const hasRuby = existsSync('/usr/bin/ruby');
let server: TestServer;
let proxy: FaultProxy;
let session: CookieSession;
const children: ChildProcess[] = [];

beforeAll(async () => {
  const port = await findFreePort();
  proxy = await createFaultProxy(port);
  server = await startServer({ port, args: ['--public-url', `http://127.0.0.1:${proxy.port}`] });
  session = await signIn(server, await createUser(server, 'sato', 'admin'));
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});
afterAll(async () => {
  await proxy.close();
  await server.close();
});

interface Program {
  readonly child: ChildProcess;
  out(): string;
  /** Resolves with the exit code. */
  ended(): Promise<number | null>;
}

function start(command: string, args: readonly string[], env: Record<string, string>): Program {
  const child = spawn(command, args, {
    cwd: join(root, 'examples'),
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  let out = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (errors += text));
  const exited = once(child, 'exit');
  return {
    child,
    out: () => out,
    ended: async () => {
      const [code] = (await exited) as [number | null];
      if (code !== 0) console.error(errors);
      return code;
    },
  };
}

const tokenOf = (scope: TokenScope): Promise<string> => makeToken(session, scope);

const linesOf = (path: string): number =>
  readFileSync(join(root, 'examples', path), 'utf8')
    .trimEnd()
    .split('\n').length;

it('the examples are at most as long as their README says', () => {
  expect(linesOf('plain-node/server.mjs')).toBeLessThanOrEqual(40);
  expect(linesOf('ruby/progressbar.rb')).toBeLessThanOrEqual(20);
  expect(linesOf('python/watch.py')).toBeLessThanOrEqual(200);
});

describe.skipIf(!hasPython)('the Python watcher', () => {
  it('passes the scripted conformance session', async () => {
    const scripted = await startScriptedSession();
    try {
      const program = start(python, ['python/watch.py', '--json', scripted.operation], {
        WCC_URL: scripted.baseUrl,
      });
      expect(await scripted.finished).toEqual({ failures: [], attempts: 5 });
      expect(await program.ended()).toBe(0);
      const taken = program
        .out()
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Snapshot);
      expect(taken).toEqual(scripted.taken);
    } finally {
      await scripted.close();
    }
  });

  it(
    'the Python watcher follows a copy to its end over broken connections',
    { timeout: 180_000 },
    async () => {
      await makeRandomImage(join(server.poolDir, 'source.raw'), 48 * MiB);
      const image = await registerImage(server, 'source.raw');
      const { operation } = await server.api.copyImage(image.id, {
        name: 'watched.raw',
        method: 'copy',
        bytesPerSecond: 6 * MiB,
      });
      const program = start(python, ['python/watch.py', '--json', operation.id], {
        WCC_URL: `http://127.0.0.1:${proxy.port}`,
        WCC_TOKEN: await tokenOf('read'),
      });
      const taken = (): Snapshot[] =>
        program
          .out()
          .split('\n')
          .slice(0, -1)
          .map((line) => JSON.parse(line) as Snapshot);
      for (const cuts of [1, 2, 3]) {
        const count = taken().length;
        await until(() => taken().length > count + 2, { what: `snapshots before cut ${cuts}` });
        proxy.resetAll();
      }
      expect(await program.ended()).toBe(0);
      expect(proxy.connections.total).toBeGreaterThanOrEqual(4);
      const all = taken();
      const done = all.flatMap((snapshot) => {
        const phase = currentPhase(snapshot);
        return phase?.name === 'transfer' ? [phase.done] : [];
      });
      expect(done).toEqual(done.toSorted((one, other) => one - other));
      const { may: _, ...stored } = await server.api.operation(operation.id);
      expect(all.at(-1)).toMatchObject({ id: operation.id, state: 'succeeded', result: stored.result });
    },
  );

  it('the Python watcher reports an unknown operation', async () => {
    const program = start(python, ['python/watch.py', 'a'.repeat(26)], {
      WCC_URL: server.baseUrl,
      WCC_TOKEN: await tokenOf('read'),
    });
    expect(await program.ended()).toBe(3);
  });
});

/** The newest operation with the action of the examples. */
async function newest(): Promise<Operation | null> {
  const { items } = await server.api.operations({ action: 'count_sheep' });
  return items[0] ?? null;
}

describe.skipIf(!hasRuby)('the Ruby publisher', () => {
  const begin = async (total: number): Promise<{ program: Program; operation: Operation }> => {
    const before = (await newest())?.id;
    const program = start('ruby', ['ruby/count-sheep.rb', String(total)], {
      WCC_URL: server.baseUrl,
      WCC_TOKEN: await tokenOf('publish'),
    });
    const operation = await until(
      async () => {
        const found = await newest();
        return found !== null && found.id !== before && (currentPhase(found)?.done ?? 0) > 0 ? found : null;
      },
      { what: 'the operation to advance' },
    );
    return { program, operation };
  };

  it('the Ruby publisher reports its work from the first unit to the end', async () => {
    const { program, operation } = await begin(60);
    expect(operation).toMatchObject({ action: 'count_sheep', subject: { kind: 'flock', name: 'merino' } });
    expect(await program.ended()).toBe(0);
    const { items } = await server.api.operations({ action: 'count_sheep' });
    expect(items[0]).toMatchObject({ id: operation.id, state: 'succeeded' });
    expect(currentPhase(items[0]!)).toMatchObject({ done: 60, total: 60 });
  });

  it('the Ruby publisher stops after a user cancels its operation', async () => {
    const { program, operation } = await begin(100_000);
    await server.api.cancel(operation.id);
    await waitForState(server, operation.id, { states: ['cancelled'] });
    expect(await program.ended()).not.toBe(0);
  });

  it('the Ruby publisher’s operation becomes interrupted after SIGKILL', { timeout: 180_000 }, async () => {
    const { program, operation } = await begin(100_000);
    program.child.kill('SIGKILL');
    // The lease of 30 s must expire.
    const ended = await waitForState(server, operation.id, { states: ['interrupted'] });
    expect(ended.stateReason?.code).toBe('publisher_silent');
    await server.api.cancel(operation.id);
  });
});

it('curl alone publishes an operation and watches it', async () => {
  const env = { WCC_URL: server.baseUrl };
  const before = (await newest())?.id;
  const publisher = start('bash', ['bash/publish.sh', '25'], { ...env, WCC_TOKEN: await tokenOf('publish') });
  const operation = await until(
    async () => {
      const found = await newest();
      return found !== null && found.id !== before ? found : null;
    },
    { what: 'the operation of publish.sh' },
  );
  const watcher = start('bash', ['bash/watch.sh', operation.id], {
    ...env,
    WCC_TOKEN: await tokenOf('read'),
  });
  expect(await publisher.ended()).toBe(0);
  expect(await watcher.ended()).toBe(0);
  const lines = watcher.out().trim().split('\n');
  expect(lines.at(-1)).toMatch(/^succeeded\b/);
  const done = lines.map((line) => Number(line.split(' ')[1] ?? 25));
  expect(done).toEqual(done.toSorted((one, other) => one - other));
});

describe('the packed libraries', () => {
  let outside: PackedInstall;
  beforeAll(async () => {
    outside = await installLibraries();
  });
  afterAll(() => outside.remove());

  const node = async (source: string, type: 'commonjs' | 'module'): Promise<string> => {
    const { stdout } = await run(process.execPath, [`--input-type=${type}`, '--no-warnings', '-e', source], {
      cwd: outside.path,
    });
    return stdout.trim();
  };

  it('the packed libraries load from CommonJS, and without HTMLElement', async () => {
    const doors = ['', '/server', '/client', '/element', '/element/define', '/conformance'];
    const names = ['@wcc/copy', ...doors.map((door) => `@wcc/progress${door}`)];
    const required = `console.log(${JSON.stringify(names)}.map((name) => Object.keys(require(name)).length > 0 || name.endsWith('define')).join())`;
    expect(await node(required, 'commonjs')).toBe(names.map(() => 'true').join());
    expect(
      await node(`${names.map((name) => `await import('${name}');`).join('')}console.log('all')`, 'module'),
    ).toBe('all');
  });

  it.each([
    { major: '5.4', compiler: 'packages/progress/node_modules/typescript' },
    { major: '7', compiler: 'node_modules/typescript' },
  ])('the packed types compile in a strict program with TypeScript $major', async ({ major, compiler }) => {
    writeFileSync(
      join(outside.path, 'consumer.ts'),
      `import { createServer } from 'node:http';
import { copyFile } from '@wcc/copy';
import { publicSnapshot } from '@wcc/progress';
import type { Snapshot } from '@wcc/progress';
import { connect } from '@wcc/progress/client';
import { gatewayConformance } from '@wcc/progress/conformance';
import '@wcc/progress/element/define';
import { attachWebSocket, byTicket, createHub, createTickets, progressbar } from '@wcc/progress/server';

const hub = createHub();
const tickets = createTickets();
const server = createServer();
attachWebSocket({
  hub,
  server,
  hosts: () => true,
  origins: () => true,
  authenticate: byTicket(tickets, { session: () => null }),
  user: (principal) => principal,
  authorize: ({ user }, _watch, { owner }) => owner === user,
});
export const counted: Promise<number> = progressbar(
  hub,
  { action: 'count', subject: { kind: 'flock', id: 1, name: 'a' }, owner: 'u', total: null },
  async (op) => (op.add(1), 1),
);
export const copied: Promise<string> = copyFile('a', 'b').done.then(({ method }) => method);
export const shown = (snapshot: Snapshot): string => publicSnapshot(snapshot).state;
export const client = connect('/api/ws', { ticket: async () => null });
export const names: string[] = gatewayConformance({
  url: '',
  origin: '',
  ticket: async () => '',
  begin: async () => ({ id: '', advance: async () => undefined, end: async () => undefined }),
}).map(({ name }) => name);
const bar = document.createElement('wcc-progress');
bar.snapshot = null;
bar.addEventListener('wcc-state', (event) => event.detail.to);
document.addEventListener('wcc-action', (event) => event.detail.verb);
`,
    );
    const options = {
      module: 'nodenext',
      target: 'es2022',
      lib: ['es2023', 'dom'],
      strict: true,
      noEmit: true,
    };
    const config = {
      compilerOptions: { ...options, exactOptionalPropertyTypes: true, types: ['node'] },
      files: ['consumer.ts'],
    };
    writeFileSync(join(outside.path, 'tsconfig.json'), JSON.stringify(config));
    writeFileSync(join(outside.path, 'package.json'), '{"type":"module"}');
    const tsc = join(root, compiler, 'bin/tsc');
    const { stdout: version } = await run(process.execPath, [tsc, '--version']);
    expect(version).toContain(`Version ${major}.`);
    const failure = await run(process.execPath, [tsc, '-p', '.'], { cwd: outside.path }).then(
      () => '',
      (error: Error & { stdout?: string }) => `${error.message}\n${error.stdout ?? ''}`,
    );
    expect(failure).toBe('');
  });

  it.each(libraries)('%s passes publint and are-the-types-wrong', async (library) => {
    const { publint } = await import('publint');
    const { messages } = await publint({
      pkgDir: join(outside.path, 'node_modules/@wcc', library),
      strict: true,
    });
    expect(messages).toEqual([]);
    const attw = join(root, 'node_modules/@arethetypeswrong/cli/dist/index.js');
    // The profile accepts ESM-only packages. Every other problem fails the test.
    const judged = run(process.execPath, [
      attw,
      outside.tarball(library),
      '--profile',
      'esm-only',
      '--no-color',
    ]);
    const complaint = await judged.then(
      () => '',
      (error: Error & { stdout?: string }) => error.stdout ?? error.message,
    );
    expect(complaint).toBe('');
  });
});
