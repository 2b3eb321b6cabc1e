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
  it('writes the marker into a new directory', async () => {
    const pool = await open();
    expect(await readMarker(directory)).toEqual({ version: 1, poolId: 'pool-1', installationId: 'here' });
    await pool.check();
  });

  it('keeps the files of a new directory', async () => {
    await writeFile(join(directory, 'a.raw'), 'data');
    await open();
    expect((await readdir(directory)).filter((name) => !name.startsWith('.'))).toEqual(['a.raw']);
  });

  it('refuses a known pool without its marker, and writes nothing: the disk may not be mounted', async () => {
    expect(await reasonOf(open({ isKnown: true }))).toBe('marker_missing');
    expect(await readdir(directory)).toEqual([]);
  });

  it('refuses the marker of another installation or of another pool', async () => {
    (await open()).close();
    expect(await reasonOf(open({ installationId: 'elsewhere' }))).toBe('marker_foreign');
    expect(await reasonOf(open({ isKnown: true, poolId: 'pool-2' }))).toBe('marker_foreign');
  });

  it('keeps the id of the marker after the user moved the pool', async () => {
    (await open()).close();
    expect((await open({ poolId: 'fresh' })).id).toBe('pool-1');
  });

  it('refuses a pool that another process has locked', async () => {
    const lock = lockFile(join(directory, '.wcc-pool.lock'));
    expect(await reasonOf(open())).toBe('locked');
    expect(await readdir(directory)).toEqual(['.wcc-pool.lock']);
    lock.release();
    await open();
  });

  it.each([
    ['not JSON', 'nonsense'],
    ['another version', '{"version":2,"poolId":"a","installationId":"b"}'],
    ['missing fields', '{"version":1}'],
    ['null', 'null'],
  ])('refuses a malformed marker: %s', async (_what, text) => {
    await writeFile(markerPath(directory), text);
    expect(await reasonOf(open())).toBe('marker_malformed');
  });

  it('does not follow a marker that is a symlink', async () => {
    await symlink('/etc/hostname', markerPath(directory));
    expect(await reasonOf(open())).toBe('marker_malformed');
  });

  it('refuses a directory that every user may write to', async () => {
    await chmod(directory, 0o777);
    expect(await reasonOf(open())).toBe('world_writable');
    expect(await readdir(directory)).toEqual([]);
  });

  it('refuses a missing path and a file; creates only the default pool', async () => {
    const path = join(directory, 'images');
    expect(await reasonOf(open({ path }))).toBe('directory_missing');
    await open({ path, makesDirectory: true });
    expect(await readMarker(path)).toMatchObject({ poolId: 'pool-1' });
    const file = join(directory, 'file');
    await writeFile(file, '');
    expect(await reasonOf(open({ path: file }))).toBe('not_a_directory');
  });

  it('an open pool becomes unavailable when its marker is gone', async () => {
    const pool = await open();
    await unlink(markerPath(directory));
    expect(await reasonOf(pool.check())).toBe('marker_missing');
  });
});
