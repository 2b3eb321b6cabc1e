import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import formats from 'ajv-formats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApiClient } from '@wcc/api/client';
import { createOperationId, isNewer, isTerminal } from '@wcc/progress';
import type { Snapshot } from '@wcc/progress';
import { makeWorkspace } from '../kit/directories.ts';
import { startLibraryServer } from '../kit/library-server.ts';
import { createFaultProxy } from '../kit/network/fault-proxy.ts';
import type { FaultProxy } from '../kit/network/fault-proxy.ts';
import { findFreePort } from '../kit/network/ports.ts';
import { currentPhase } from '../kit/operations.ts';
import { until } from '../kit/poll.ts';
import { startServer } from '../kit/server.ts';
import { createUser, makeToken, signIn } from '../kit/session.ts';

/** Programs in other languages, written from the protocol page alone, against a server of the library and wcc. */
const examples = fileURLToPath(new URL('../../packages/progress/examples/', import.meta.url));
const languages = [
  { language: 'Go', path: 'go/watch.go', interpreter: '/usr/bin/go' },
  { language: 'Python', path: 'python/watch.py', interpreter: '/usr/bin/python3' },
] as const;
type Language = (typeof languages)[number]['language'];
const isInstalled = (language: Language): boolean =>
  languages.some((each) => each.language === language && existsSync(each.interpreter));
const installed = languages.map(({ language }) => language).filter(isInstalled);
const build = makeWorkspace('go');
const goProgram = join(build.path, 'watch');
const children: ChildProcess[] = [];
let library: Target;
/** Programs that watch an operation that does not exist. They give up after half a minute. */
const strangers = new Map<Language, Program>();

beforeAll(async () => {
  const env = { PATH: process.env['PATH'], GOCACHE: join(build.path, 'cache'), GOPATH: build.path };
  if (isInstalled('Go'))
    execFileSync('/usr/bin/go', ['build', '-o', goProgram, 'watch.go'], { cwd: join(examples, 'go'), env });
  library = await libraryTarget();
  for (const language of installed) strangers.set(language, start(language, library.addresses, [newId()]));
});
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await library.close();
  build.remove();
});

interface Addresses {
  /** Of the event streams: the part before `/operations`. */
  base: string;
  socket: string;
  ticket: string;
  token: string;
}

interface Program {
  /** The snapshots of one operation that the program accepted. */
  taken(id: string): Snapshot[];
  exited: Promise<number | null>;
  errors(): string;
}

function start(
  language: Language,
  { base, socket, ticket, token }: Addresses,
  ids: readonly string[],
): Program {
  const [command, ...args] =
    language === 'Go'
      ? [goProgram, base, ...ids]
      : ['/usr/bin/python3', join(examples, 'python/watch.py'), socket, ticket, ...ids];
  const child = spawn(command, args, {
    env: { PATH: process.env['PATH'] ?? '', PROGRESS_TOKEN: token },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  let [out, errors] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (errors += text));
  const lines = (): string[] => out.split('\n').slice(0, -1);
  return {
    taken: (id) =>
      lines()
        .map((line) => JSON.parse(line) as Snapshot)
        .filter((each) => each.id === id),
    exited: once(child, 'exit').then(([code]) => code as number | null),
    errors: () => errors,
  };
}

/** A server whose operations the test reports, behind a proxy whose connections it cuts. */
interface Target {
  proxy: FaultProxy;
  addresses: Addresses;
  /** @param id of the new operation, where the server lets the test choose it */
  begin(id?: string): Promise<string>;
  report(id: string, done: number): Promise<void>;
  end(id: string, state: 'succeeded' | 'failed'): Promise<void>;
  get(id: string): Promise<Snapshot>;
  restart(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  close(): Promise<void>;
}

const newId = (): string => createOperationId(randomBytes);

async function libraryTarget(): Promise<Target> {
  const server = await startLibraryServer();
  const proxy = await createFaultProxy(server.port);
  const base = `http://127.0.0.1:${proxy.port}/progress`;
  return {
    proxy,
    addresses: { base, socket: base, ticket: `${base}/ticket`, token: server.token },
    begin: async (id = newId()) => {
      await server.put(id, { state: 'running' });
      return id;
    },
    report: (id, done) => server.put(id, { state: 'running', done }),
    end: (id, state) => server.put(id, { state }),
    get: async (id) => (await server.get(id))!,
    restart: (signal) => server.restart(signal),
    close: async () => {
      await proxy.close();
      await server.close();
    },
  };
}

async function wccTarget(): Promise<Target> {
  const port = await findFreePort();
  const proxy = await createFaultProxy(port);
  const base = `http://127.0.0.1:${proxy.port}/api`;
  const server = await startServer({ port, args: ['--public-url', `http://127.0.0.1:${proxy.port}`] });
  const session = await signIn(server, await createUser(server, 'sato', 'operator'));
  const program = createApiClient({ baseUrl: server.baseUrl, token: await makeToken(session, 'publish') });
  const addresses = {
    base,
    socket: `${base}/ws`,
    ticket: `${base}/ws-tickets`,
    token: await makeToken(session, 'read'),
  };
  const subject = { kind: 'flock', name: 'merino' };
  const error = { code: 'lost', message: 'The wolf came.' };
  return {
    proxy,
    addresses,
    begin: async () =>
      (await program.publish({ action: 'count_sheep', subject, total: 100, leaseS: 600 })).operation.id,
    report: async (id, done) => void (await program.reportProgress(id, { done })),
    end: async (id, state) =>
      void (await program.endOperation(id, state === 'failed' ? { state, error } : { state })),
    get: (id) => server.api.operation(id),
    restart: async (signal) => {
      await (signal === 'SIGTERM' ? server.stop() : server.kill());
      await server.start();
    },
    close: async () => {
      await proxy.close();
      await server.close();
    },
  };
}

const ajv = new Ajv({ allErrors: true, allowUnionTypes: true });
formats.default(ajv);
const validate = ajv.compile(createRequire(import.meta.url)('@wcc/progress/snapshot.schema.json') as object);

/** No snapshot breaks the schema, is older than the one before it, follows the end, or takes a step back. */
function expectTruthful(taken: readonly Snapshot[]): void {
  for (const [index, snapshot] of taken.entries()) {
    validate(snapshot);
    expect(validate.errors ?? []).toEqual([]);
    const before = taken[index - 1];
    if (before === undefined) continue;
    expect(isNewer(before, snapshot)).toBe(true);
    expect(isTerminal(before.state)).toBe(false);
    if (before.epoch === snapshot.epoch)
      expect(currentPhase(snapshot)!.done).toBeGreaterThanOrEqual(currentPhase(before)!.done);
  }
}

it('the clients in other languages have at most 120 lines of code', () => {
  for (const { path } of languages) {
    const source = readFileSync(join(examples, path), 'utf8').replace(/^"""[^]*?"""$/m, '');
    const code = source.split('\n').filter((line) => !/^\s*(?:(?:#|\/\/).*)?$/.test(line));
    expect(code.length, path).toBeLessThanOrEqual(120);
    expect(code.length, path).toBeGreaterThan(50);
  }
});

const ends = ['succeeded', 'failed', 'succeeded'] as const;

/** Cuts connections, stops and kills the server, and ends the operations, each after all programs saw the last change. */
async function play(
  target: Target,
  ids: readonly string[],
  programs: ReadonlyMap<Language, Program>,
): Promise<void> {
  const seen = async (what: string, is: (newest: Snapshot) => boolean): Promise<void> => {
    for (const [language, program] of programs)
      await until(() => ids.every((id) => program.taken(id).slice(-1).some(is)), {
        what: () => `the ${language} client to see ${what} of each operation; ${program.errors()}`,
      });
  };
  const reach = async (done: number): Promise<void> => {
    for (const id of ids) await target.report(id, done);
    await seen(`${done} steps`, (each) => each.state === 'running' && currentPhase(each)?.done === done);
  };
  await reach(10);
  target.proxy.resetAll();
  await reach(20);
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    await target.restart(signal);
    await seen('the interruption', ({ state }) => state === 'interrupted');
    await reach(signal === 'SIGTERM' ? 30 : 40);
  }
  await reach(80);
  for (const [index, id] of ids.entries()) await target.end(id, ends[index]!);
}

describe.each([
  ['a server of the library', () => Promise.resolve(library)],
  ['wcc', wccTarget],
] as const)('clients of %s', (server, open) => {
  let target: Target;
  let ids: string[];
  const programs = new Map<Language, Program>();
  beforeAll(async () => {
    target = await open();
    ids = [await target.begin(), await target.begin(), await target.begin()];
    for (const language of installed) programs.set(language, start(language, target.addresses, ids));
    await play(target, ids, programs);
  });
  afterAll(() => (target === library ? undefined : target.close()));

  for (const { language } of languages)
    it.skipIf(!isInstalled(language))(
      `the ${language} client follows three operations of ${server} to their ends over cuts and restarts`,
      async () => {
        const program = programs.get(language)!;
        expect(await program.exited, program.errors()).toBe(1);
        for (const [index, id] of ids.entries()) {
          const taken = program.taken(id);
          expectTruthful(taken);
          expect(taken.at(-1)).toMatchObject({ id, state: ends[index] });
          expect(currentPhase(taken.at(-1)!)).toEqual(currentPhase(await target.get(id)));
          // docs/protocol.md: wcc completes a succeeded operation; a server of the library shows what was reported.
          const done = server === 'wcc' && ends[index] === 'succeeded' ? 100 : 80;
          expect(currentPhase(taken.at(-1)!)).toMatchObject({ done, total: 100 });
          expect(new Set(taken.map(({ epoch }) => epoch)).size).toBe(3);
        }
      },
    );
});

describe.each(languages)('a client', ({ language }) => {
  it.skipIf(!isInstalled(language))(
    `the ${language} client waits for an operation that begins after it, and exits with 0 if it succeeds`,
    async () => {
      const id = newId();
      const program = start(language, library.addresses, [id]);
      await until(() => library.proxy.connections.total > 0 && /404|not_found/.test(program.errors()), {
        what: 'the first answer',
      });
      await library.begin(id);
      await until(() => program.taken(id).length > 0, { what: () => `a snapshot; ${program.errors()}` });
      await library.end(id, 'succeeded');
      expect(await program.exited, program.errors()).toBe(0);
      expect(program.taken(id).at(-1)).toMatchObject({ id, state: 'succeeded' });
    },
  );

  it.skipIf(!isInstalled(language))(
    `the ${language} client stops if the server refuses its token`,
    async () => {
      const program = start(language, { ...library.addresses, token: 'unknown' }, [newId()]);
      expect(await program.exited).toBe(3);
      expect(program.errors()).toContain('401');
    },
  );

  it.skipIf(!isInstalled(language))(
    `the ${language} client reports an operation that does not exist`,
    async () => {
      const program = strangers.get(language)!;
      expect(await program.exited).toBe(3);
      expect(program.errors()).toMatch(/404|not_found/);
    },
  );
});
