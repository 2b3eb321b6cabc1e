import { execFile } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { installLibraries, libraries } from '../kit/packed-install.ts';
import type { PackedInstall } from '../kit/packed-install.ts';

/** Installs the tarballs of both libraries as another project would, and uses them there. */
const root = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);
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
  const doors = [
    '',
    '/server',
    '/client',
    '/element',
    '/element/define',
    '/element/locales/de',
    '/element/locales/ja',
    '/element.min.js',
    '/protocol',
    '/terminal',
    '/testing',
    '/text',
  ];
  const names = [
    ...['', '/receive', '/recovery'].map((door) => `@wcc/copy${door}`),
    ...doors.map((door) => `@wcc/progress${door}`),
  ];
  const required = `console.log(${JSON.stringify(names)}.map((name) => Object.keys(require(name)).length > 0 || name.endsWith('define')).join())`;
  expect(await node(required, 'commonjs')).toBe(names.map(() => 'true').join());
  expect(
    await node(`${names.map((name) => `await import('${name}');`).join('')}console.log('all')`, 'module'),
  ).toBe('all');
});

it.each(libraries)('all relative links of the pages in the tarball of %s lead to its files', (library) => {
  const folder = join(outside.path, 'node_modules/@wcc', library);
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const pages = paths.filter((path) => path.endsWith('.md'));
  expect(pages).toContain('README.md');
  const links = pages.flatMap((page) =>
    [...readFileSync(join(folder, page), 'utf8').matchAll(/\]\((?!https?:|#)([^)#\s]+)[^)]*\)/g)].map(
      ([, link = '']) => ({ page, target: join(dirname(page), link) }),
    ),
  );
  expect(links.length).toBeGreaterThan(0);
  const isInside = (target: string): boolean => !target.startsWith('..') && existsSync(join(folder, target));
  expect(links.filter(({ target }) => !isInside(target))).toEqual([]);
});

it('a server without onError prints the hint of an error that no caller receives, and the stack of a foreign one', async () => {
  const source = `import { createHub } from '@wcc/progress/server';
    const hub = createHub();
    hub.onChange(() => { throw new Error('mine'); });
    const op = hub.start({ action: 'count', owner: 'ann', total: 10 });
    op.add(5); hub.flush(); op.set(3); hub.flush(); op.succeed(); hub.close();`;
  const { stderr } = await run(process.execPath, ['--input-type=module', '-e', source], {
    cwd: outside.path,
  });
  expect(stderr).toContain('[done_decreased] ProgressError: The units done decreased');
  expect(stderr).toContain('Only a new epoch may go back');
  expect(stderr).toMatch(/Error: mine\n@wcc\/progress: change\. \nError: mine\n {4}at /);
});

it('the tarball of progress contains its protocol page, and the schema as a door', async () => {
  expect(existsSync(join(outside.path, 'node_modules/@wcc/progress/docs/protocol.md'))).toBe(true);
  const source = "console.log(require('@wcc/progress/snapshot.schema.json').required.join())";
  expect((await node(source, 'commonjs')).split(',')).toEqual(
    expect.arrayContaining(['id', 'epoch', 'seq', 'state']),
  );
});

it.each([
  { major: '5.4', compiler: 'packages/copy/node_modules/typescript' },
  { major: '5.9', compiler: 'packages/progress/node_modules/typescript' },
  { major: '7', compiler: 'node_modules/typescript' },
])('the packed types compile in a strict program with TypeScript $major', async ({ major, compiler }) => {
  writeFileSync(
    join(outside.path, 'consumer.ts'),
    `import { createServer } from 'node:http';
import { copyFile } from '@wcc/copy';
import { publicSnapshot } from '@wcc/progress/protocol';
import type { OperationState, Snapshot } from '@wcc/progress';
import { connect } from '@wcc/progress/client';
import { gatewayConformance } from '@wcc/progress/testing';
import '@wcc/progress/element/define';
import { registerLocale } from '@wcc/progress/element';
import { de } from '@wcc/progress/element/locales/de';
import { describeRow } from '@wcc/progress/text';
import { createGateway, ticketAuth, createHub, createTickets } from '@wcc/progress/server';
import type { Operation } from '@wcc/progress/server';

const hub = createHub();
const tickets = createTickets();
const server = createServer();
createGateway({
  hub,
  server,
  hosts: () => true,
  origins: () => true,
  authenticate: ticketAuth(tickets, { session: () => null }),
  user: (principal) => principal,
  authorize: ({ user }, _watch, { owner }) => owner === user,
});
export const counted: Promise<number> = hub.run(
  { action: 'count', subject: { kind: 'flock', id: 1, name: 'a' }, owner: 'u', total: null },
  async (op) => (op.add(1), 1),
);
export const queued: Operation = hub.start({ action: 'count', owner: 'u', state: 'queued', signal: undefined });
export const copied: Promise<string> = copyFile('a', 'b').then(({ method }) => method);
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
bar.addEventListener('statechange', (event): OperationState => event.detail.to);
bar.addEventListener('action', ({ detail: { verb, id } }): string => verb + id);
bar.addEventListener('click', (event): number => event.clientX);
registerLocale('fr', { verbs: { cancel: 'Annuler' }, steps: (done, _total, { plural }) => plural(done, { other: 'pas' }) });
registerLocale('de', de);
export const described: string = describeRow({ id: 'a', state: 'running' } as Snapshot, { locale: 'fr' }).status;
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
