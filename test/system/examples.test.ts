import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Operation, TokenScope } from '@wcc/api';
import { startScriptedSession } from '@wcc/progress/testing';
import type { Snapshot } from '@wcc/progress';
import { createFaultProxy } from '../kit/network/fault-proxy.ts';
import type { FaultProxy } from '../kit/network/fault-proxy.ts';
import { makeRandomImage, MiB } from '../kit/images.ts';
import { currentPhase, registerImage, waitForState } from '../kit/operations.ts';
import { until } from '../kit/poll.ts';
import { findFreePort } from '../kit/network/ports.ts';
import { startServer } from '../kit/server.ts';
import type { TestServer } from '../kit/server.ts';
import { createUser, makeToken, signIn } from '../kit/session.ts';
import type { CookieSession } from '../kit/session.ts';

/** Runs the programs of both folders of examples as their READMEs describe. */
const root = fileURLToPath(new URL('../../', import.meta.url));
const python = '/usr/bin/python3';
const hasPython = existsSync(python);
const hasRuby = existsSync('/usr/bin/ruby');
let server: TestServer;
let proxy: FaultProxy;
let session: CookieSession;
const children: ChildProcess[] = [];
/** Watches an operation that does not exist, and gives up after half a minute. */
let stranger: Program | undefined;

beforeAll(async () => {
  const port = await findFreePort();
  proxy = await createFaultProxy(port);
  server = await startServer({ port, args: ['--public-url', `http://127.0.0.1:${proxy.port}`] });
  session = await signIn(server, await createUser(server, 'sato', 'admin'));
  if (!hasPython) return;
  stranger = watchInPython(server.baseUrl, 'a'.repeat(26), await tokenOf('read'));
  children.length = 0; // this one outlives the first tests
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});
afterAll(async () => {
  stranger?.child.kill('SIGKILL');
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

const linesOf = (path: string): number => readFileSync(join(root, path), 'utf8').trimEnd().split('\n').length;

it('the examples are at most as long as their README says', () => {
  expect(linesOf('packages/progress/examples/plain-node/server.mjs')).toBeLessThan(25);
  expect(linesOf('examples/ruby/progressbar.rb')).toBeLessThanOrEqual(20);
  expect(linesOf('packages/progress/examples/python/watch.py')).toBeLessThanOrEqual(200);
});

function watchInPython(baseUrl: string, operation: string, token = ''): Program {
  const addresses = [`${baseUrl}/api/ws`, `${baseUrl}/api/ws-tickets`];
  return start(python, ['../packages/progress/examples/python/watch.py', ...addresses, operation], {
    PROGRESS_TOKEN: token,
  });
}

describe.skipIf(!hasPython)('the Python watcher', () => {
  it('passes the scripted conformance session', async () => {
    const scripted = await startScriptedSession();
    try {
      const program = watchInPython(scripted.baseUrl, scripted.operation);
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
      const baseUrl = `http://127.0.0.1:${proxy.port}`;
      const program = watchInPython(baseUrl, operation.id, await tokenOf('read'));
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

it.skipIf(!hasPython)('the Python watcher reports an unknown operation', async () => {
  expect(await stranger?.ended()).toBe(3);
});
