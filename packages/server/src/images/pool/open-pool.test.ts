import { lockFile } from '@wcc/copy';
import { chmod, mkdtemp, readdir, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PoolError } from './error.ts';
import { markerPath, readMarker } from './marker.ts';
import { openPool } from './open-pool.ts';
import type { OpenPool, OpenPoolOptions } from './open-pool.ts';

let directory: string;
let opened: OpenPool[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'wcc-pool-'));
  opened = [];
});
afterEach(async () => {
  for (const pool of opened) pool.close();
  await rm(directory, { recursive: true });
});

async function open(changes: Partial<OpenPoolOptions> = {}): Promise<OpenPool> {
  const pool = await openPool({
    path: directory,
    installationId: 'here',
    poolId: 'pool-1',
    isKnown: false,
    makesDirectory: false,
    onError: (error) => {
      throw error;
    },
    ...changes,
  });
  opened.push(pool);
  return pool;
}

async function reasonOf(attempt: Promise<unknown>): Promise<string> {
  const error: unknown = await attempt.then(
    () => null,
    (caught: unknown) => caught,
  );
  if (!(error instanceof PoolError)) throw new Error('It was not refused.', { cause: error });
  expect(error.code).toBe('pool_unavailable');
  expect(error.hint).not.toBe('');
  return error.reason;
}

describe('opening a pool', () => {
  it('a directory that is used for the first time gets its marker', async () => {
    const pool = await open();
    expect(await readMarker(directory)).toEqual({ version: 1, poolId: 'pool-1', installationId: 'here' });
    await pool.check();
  });

  it('files that were there stay as they are', async () => {
    await writeFile(join(directory, 'a.raw'), 'data');
    await open();
    expect((await readdir(directory)).filter((name) => !name.startsWith('.'))).toEqual(['a.raw']);
  });

  it('a known pool without its marker is refused and nothing is written: the disk may not be mounted', async () => {
    expect(await reasonOf(open({ isKnown: true }))).toBe('marker_missing');
    expect(await readdir(directory)).toEqual([]);
  });

  it('a marker of another installation, or of another pool under this path', async () => {
    (await open()).close();
    expect(await reasonOf(open({ installationId: 'elsewhere' }))).toBe('marker_foreign');
    expect(await reasonOf(open({ isKnown: true, poolId: 'pool-2' }))).toBe('marker_foreign');
  });

  it('a pool that its user moved keeps the id of its marker', async () => {
    (await open()).close();
    expect((await open({ poolId: 'fresh' })).id).toBe('pool-1');
  });

  it('held by another', async () => {
    const lock = lockFile(join(directory, '.wcc-pool.lock'));
    expect(await reasonOf(open())).toBe('locked');
    expect(await readdir(directory)).toEqual(['.wcc-pool.lock']);
    lock.release();
    await open();
  });

  it.each([
    ['no JSON', 'nonsense'],
    ['another version', '{"version":2,"poolId":"a","installationId":"b"}'],
    ['fields missing', '{"version":1}'],
    ['null', 'null'],
  ])('a marker that is malformed: %s', async (_what, text) => {
    await writeFile(markerPath(directory), text);
    expect(await reasonOf(open())).toBe('marker_malformed');
  });

  it('a marker that is a link leads nowhere', async () => {
    await symlink('/etc/hostname', markerPath(directory));
    expect(await reasonOf(open())).toBe('marker_malformed');
  });

  it('a directory that everybody may write to', async () => {
    await chmod(directory, 0o777);
    expect(await reasonOf(open())).toBe('world_writable');
    expect(await readdir(directory)).toEqual([]);
  });

  it('a path that is missing or no directory; only the default pool is made', async () => {
    const path = join(directory, 'images');
    expect(await reasonOf(open({ path }))).toBe('directory_missing');
    await open({ path, makesDirectory: true });
    expect(await readMarker(path)).toMatchObject({ poolId: 'pool-1' });
    const file = join(directory, 'file');
    await writeFile(file, '');
    expect(await reasonOf(open({ path: file }))).toBe('not_a_directory');
  });

  it('an open pool notices that its marker has gone', async () => {
    const pool = await open();
    await unlink(markerPath(directory));
    expect(await reasonOf(pool.check())).toBe('marker_missing');
  });
});
