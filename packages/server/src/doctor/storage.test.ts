import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { closeSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Installation } from './doctor.testkit.ts';
import { makeInstallation } from './doctor.testkit.ts';

const isRoot = process.getuid?.() === 0;
/** The user `daemon` of every distribution. */
const daemon = 1;

let template: Installation;
let installation: Installation;
beforeAll(async () => {
  template = await makeInstallation();
});
afterAll(() => template.remove());
beforeEach(async () => {
  installation = await makeInstallation(template);
});
afterEach(() => installation.remove());

describe('doctor: the data directory', () => {
  it('is private, and its files too', async () => {
    expect(await installation.check('data_directory')).toMatchObject({ code: 'data_directory_private' });
    expect(await installation.check('data_files')).toMatchObject({ code: 'data_files_private', state: 'ok' });
  });

  it('warns of a directory that others can list', async () => {
    chmodSync(installation.dataDir, 0o755);
    expect(await installation.check('data_directory')).toMatchObject({
      state: 'warning',
      code: 'data_directory_public',
      parameters: { mode: '755' },
      advice: `Remove that permission: chmod go-rw ${installation.dataDir}`,
    });
  });

  it('finds a secrets key that others can read', async () => {
    const file = join(installation.dataDir, 'secrets.key');
    chmodSync(file, 0o644);
    expect(await installation.check('data_files')).toMatchObject({
      state: 'failed',
      code: 'data_file_public',
      parameters: { file, mode: '644' },
    });
  });

  it.runIf(isRoot)('finds a file that a start as root left, and names the right user', async () => {
    chownSync(installation.dataDir, daemon, daemon);
    chownSync(join(installation.dataDir, 'secrets.key'), daemon, daemon);
    const check = await installation.check('data_files');
    expect(check).toMatchObject({ code: 'data_file_foreign', parameters: { owner: 'root', user: 'daemon' } });
    expect(check.advice).toContain(`chown daemon ${join(installation.dataDir, 'wcc.sqlite')}`);
  });

  it.runIf(isRoot)('asks the kernel as the user of the server, not as root', async () => {
    chownSync(installation.dataDir, daemon, daemon);
    chmodSync(installation.home, 0o700);
    expect(await installation.check('data_directory')).toMatchObject({
      code: 'data_directory_unwritable',
      parameters: { user: 'daemon', reason: 'EACCES' },
    });
  });

  it('skips a directory that the first start creates, and finds a file in its place', async () => {
    rmSync(installation.dataDir, { recursive: true });
    expect(await installation.check('data_directory')).toMatchObject({ state: 'skipped' });
    expect(await installation.check('durability')).toMatchObject({ code: 'place_missing' });
    expect(await installation.check('database')).toMatchObject({ code: 'database_missing' });
    writeFileSync(installation.dataDir, '');
    expect(await installation.check('data_directory')).toMatchObject({ code: 'data_directory_wrong' });
  });
});

/** Overwrites pages in the middle of the closed database. */
function damage(dataDir: string): void {
  const path = join(dataDir, 'wcc.sqlite');
  const file = openSync(path, 'r+');
  const sizeBytes = statSync(path).size;
  for (let offset = 4096; offset < sizeBytes; offset += 8192)
    writeSync(file, Buffer.alloc(2048, 0xa5), 0, 2048, offset);
  closeSync(file);
}

describe('doctor: the database', () => {
  it('is sound, and its audit record intact, and nothing in the data directory changes', async () => {
    const names = readdirSync(installation.dataDir).toSorted();
    expect(await installation.check('database')).toMatchObject({ code: 'database_sound', state: 'ok' });
    expect(await installation.check('audit')).toMatchObject({
      code: 'audit_intact',
      parameters: { rows: 9, anchors: 1 },
    });
    await installation.check('durability');
    await installation.check('pool_blocks');
    expect(readdirSync(installation.dataDir).toSorted()).toEqual(names);
    expect(readdirSync(installation.pool).toSorted()).toEqual(['.wcc-pool', '.wcc-pool.lock']);
  });

  it('is damaged in a damaged copy', async () => {
    const copy = join(installation.home, 'copy');
    cpSync(installation.dataDir, copy, { recursive: true });
    damage(copy);
    const check = await installation.check('database', { settings: { dataDir: copy } });
    expect(check).toMatchObject({ state: 'failed', code: 'database_damaged' });
    expect(check.advice).toContain('restore the latest file of backups/');
  });

  it('is not a database', async () => {
    writeFileSync(join(installation.dataDir, 'wcc.sqlite'), 'x'.repeat(8192));
    expect(await installation.check('database')).toMatchObject({ code: 'database_damaged' });
  });

  it('has an audit record without its tail', async () => {
    installation.tamper('drop trigger auditForbidsDelete; delete from audit where number > 6');
    expect(await installation.check('audit')).toMatchObject({
      state: 'failed',
      code: 'audit_broken',
      parameters: { row: 7, problem: 'tail_missing' },
    });
  });

  it('has a row from the future when the clock is behind', async () => {
    installation.tamper(
      `drop trigger auditForbidsUpdate; update audit set at = '2999-01-01T00:00:00.000Z' where number = 9`,
    );
    expect(await installation.check('clock')).toMatchObject({ state: 'failed', code: 'clock_behind' });
  });
});

describe('doctor: the pool', () => {
  it('is ready, and its lock is free', async () => {
    expect(await installation.check('pool')).toMatchObject({ code: 'pool_ready', state: 'ok' });
    expect(await installation.check('pool_lock')).toMatchObject({ code: 'pool_unlocked' });
  });

  it('is missing, and its disk may not be mounted', async () => {
    renameSync(installation.pool, `${installation.pool}.away`);
    expect(await installation.check('pool')).toMatchObject({ state: 'failed', code: 'pool_missing' });
    mkdirSync(installation.pool);
    expect(await installation.check('pool')).toMatchObject({ code: 'pool_marker_missing' });
  });

  it('can be written by every user, or not by this one', async () => {
    chmodSync(installation.pool, 0o777);
    expect(await installation.check('pool')).toMatchObject({ code: 'pool_world_writable', state: 'failed' });
  });

  it.runIf(isRoot)('cannot be written by the user of the server', async () => {
    chmodSync(installation.home, 0o755);
    chownSync(installation.dataDir, daemon, daemon);
    expect(await installation.check('pool')).toMatchObject({
      code: 'pool_unwritable',
      parameters: { user: 'daemon' },
    });
  });

  it('has a damaged marker, or that of another installation', async () => {
    const marker = join(installation.pool, '.wcc-pool');
    writeFileSync(marker, '{');
    expect(await installation.check('pool')).toMatchObject({ code: 'pool_marker_malformed' });
    writeFileSync(marker, JSON.stringify({ version: 1, poolId: 'x', installationId: 'another' }));
    expect(await installation.check('pool')).toMatchObject({ code: 'pool_foreign', state: 'failed' });
  });

  it('is locked by a program that is not the server of this data directory', async () => {
    const lock = join(installation.pool, '.wcc-pool.lock');
    const holder = spawn('flock', [lock, '-c', 'echo locked; read _'], { stdio: ['pipe', 'pipe', 'ignore'] });
    await once(holder.stdout, 'data');
    try {
      const { code, parameters } = await installation.check('pool_lock');
      expect(code).toBe('pool_locked_elsewhere');
      expect(Number(parameters['pid'])).toBeGreaterThan(1);
    } finally {
      holder.stdin.end();
      await once(holder, 'close');
    }
  });
});
