import type * as Receive from '@wcc/copy/receive';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createDefinitions } from '../machines/hypervisor/qemu/definitions.ts';
import type { MachineSpec } from '../machines/hypervisor/machine-spec.ts';
import { createSeeds } from '../machines/seed/seeds.ts';
import { makePrivateDirectory, replaceFile } from './replace-file.ts';

const firstBoot = { sshKeys: [] };

/** What was in each directory when it was synced. */
const synced: [directory: string, names: string[]][] = [];

vi.mock('@wcc/copy/receive', async (load) => {
  const actual = await load<typeof Receive>();
  const syncDirectory: typeof actual.syncDirectory = async (directory) => {
    synced.push([String(directory), readdirSync(String(directory))]);
    await actual.syncDirectory(directory);
  };
  return { ...actual, syncDirectory };
});

describe('a file that is replaced', () => {
  let dir = '';
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'wcc-replace-'));
    synced.length = 0;
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  it('has its name when the directory is synced, and is private', async () => {
    const path = join(dir, 'file');
    writeFileSync(`${path}.tmp`, 'of a crash', { mode: 0o644 });
    await replaceFile(path, 'old');
    await replaceFile(path, 'new');
    expect(readFileSync(path, 'utf8')).toBe('new');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(synced).toEqual([
      [dir, ['file']],
      [dir, ['file']],
    ]);
  });

  it('stays as it was when the signal aborts', async () => {
    const path = join(dir, 'file');
    await replaceFile(path, 'old');
    const signal = AbortSignal.abort(new Error('cancelled'));
    await expect(replaceFile(path, 'new', { signal })).rejects.toThrow('cancelled');
    expect(readFileSync(path, 'utf8')).toBe('old');
  });

  it('a directory is synced into its parent once', async () => {
    await makePrivateDirectory(join(dir, 'a', 'b'));
    await makePrivateDirectory(join(dir, 'a', 'b'));
    expect(synced).toEqual([
      [join(dir, 'a'), ['b']],
      [dir, ['a']],
    ]);
  });

  it('first-boot data and definitions of machines survive a power cut', async () => {
    const uuid = '00000000-0000-4000-8000-000000000001';
    await createSeeds(dir).write(uuid, { instanceId: uuid, hostname: 'web', firstBoot });
    expect(synced).toEqual([
      [dir, ['seeds']],
      [join(dir, 'seeds'), [`${uuid}.iso`]],
    ]);
    synced.length = 0;
    const root = join(dir, 'machines');
    await makePrivateDirectory(root);
    await createDefinitions(root).write({ spec: { uuid } as MachineSpec, machineType: 'pc' });
    expect(synced.slice(1)).toEqual([
      [root, [uuid]],
      [join(root, uuid), ['machine.json']],
    ]);
  });
});

it('every file of the server that renames a file also syncs a directory', () => {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const sources = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.ts') && !/\.(test|testkit)\.ts$/.test(name),
  );
  const renaming = sources.filter((name) =>
    /\b(rename|renameSync|renameExclusively)\(/.test(readFileSync(join(root, name), 'utf8')),
  );
  const unsafe = renaming.filter(
    (name) => !/\bsyncDirectory\(|\bsync\(folder\)/.test(readFileSync(join(root, name), 'utf8')),
  );
  expect(renaming).toContain(join('files', 'replace-file.ts'));
  expect(unsafe).toEqual([]);
});
