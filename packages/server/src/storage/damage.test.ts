import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import Libsql from 'libsql';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { migrations } from './migrations.ts';
import type { Store } from './store.ts';
import { openStore } from './store.ts';

let directory: string;
const background: unknown[] = [];
const onError = (error: unknown): void => void background.push(error);
const path = (): string => join(directory, 'wcc.sqlite');
const backups = (): string => join(directory, 'backups');
const pageBytes = 4096;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'wcc-damage-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const open = (): Promise<Store> => openStore(path(), { onError });

/** A database of this schema with some hundred rows, whose log is empty. */
async function makeDatabase(): Promise<void> {
  const store = await open();
  const values = Array.from({ length: 400 }, (_, index) => ({ key: `key-${index}`, value: 'x'.repeat(300) }));
  await store.write([{ query: store.db.insertInto('settings').values(values) }]);
  await store.close();
  moveLogIntoFile();
}

function moveLogIntoFile(): void {
  const raw = new Libsql(path());
  raw.exec('pragma wal_checkpoint(truncate)');
  raw.close();
}

/** Makes it larger than the cache of a connection. */
async function enlarge(): Promise<void> {
  const store = await open();
  const value = 'x'.repeat(4000);
  for (let part = 0; part < 20; part += 1) {
    const values = Array.from({ length: 100 }, (_, index) => ({ key: `large-${part}-${index}`, value }));
    await store.write([{ query: store.db.insertInto('settings').values(values) }]);
  }
  await store.close();
  moveLogIntoFile();
}

/** Opens an older database, which backs it up. A step that ran before may fail the second time. */
async function upgrade(): Promise<void> {
  await open().then(
    (store) => store.close(),
    () => {},
  );
}

function overwritePage(page: number): void {
  const fd = openSync(path(), 'r+');
  writeSync(fd, Buffer.alloc(pageBytes, 0xa5), 0, pageBytes, (page - 1) * pageBytes);
  closeSync(fd);
}

/** The database of an earlier version: the last step is taken back. */
function makeOlder(): void {
  const raw = new Libsql(path());
  raw.exec(`pragma user_version = ${migrations.length - 1}`);
  raw.close();
}

describe('D19: a damaged database', () => {
  it('D19: the store names the damage of any page at its start', { timeout: 120_000 }, async () => {
    await makeDatabase();
    const sound = readFileSync(path());
    const pages = sound.length / pageBytes;
    expect(pages).toBeGreaterThan(40);
    for (const page of [1, 2, 8, 14, 26, 38, pages]) {
      writeFileSync(path(), sound);
      overwritePage(page);
      await expect(open(), `page ${page}`).rejects.toMatchObject({ code: 'store_damaged' });
    }
    writeFileSync(path(), sound);
    await (await open()).close();
  });

  it('D19: a damage that a query meets is named and remembered', { timeout: 120_000 }, async () => {
    await makeDatabase();
    await enlarge();
    const store = await open();
    const pages = statSync(path()).size / pageBytes;
    for (let page = 2; page <= pages; page += 1) overwritePage(page);
    // The connection reads the pages again.
    await sql`pragma shrink_memory`.execute(store.db);
    const query = store.db.selectFrom('users').selectAll().execute();
    await expect(query).rejects.toMatchObject({ code: 'store_damaged', sqliteCode: 'SQLITE_CORRUPT' });
    expect(store.status().isDamaged).toBe(true);
    await store.close();
  });
});

describe('D19: the backup before an upgrade', () => {
  it(
    'D19: an upgrade keeps complete backups of the last two schemas, for the owner only',
    { timeout: 120_000 },
    async () => {
      await makeDatabase();
      mkdirSync(backups(), { mode: 0o700 });
      for (const [age, name] of [
        [3, 'wcc-schema-1-oldest.sqlite'],
        [2, 'wcc-schema-2-older.sqlite'],
        [1, 'kept-by-hand'],
      ] as const) {
        writeFileSync(join(backups(), name), 'x');
        const at = new Date(Date.now() - age * 3_600_000);
        utimesSync(join(backups(), name), at, at);
      }
      makeOlder();
      await upgrade();
      const names = readdirSync(backups()).filter((name) => name !== 'kept-by-hand');
      const made = names.filter((name) => name !== 'wcc-schema-2-older.sqlite');
      expect([names.length, made.length]).toEqual([2, 1]);
      for (const name of made) {
        expect(name).toMatch(new RegExp(`^wcc-schema-${migrations.length - 1}-\\d{8}T\\d{6}Z\\.sqlite$`));
        expect(statSync(join(backups(), name)).mode & 0o777).toBe(0o600);
        const raw = new Libsql(join(backups(), name));
        expect(raw.prepare('select count(*) as n from settings').all()).toMatchObject([{ n: 400 }]);
        expect(raw.pragma('user_version')).toEqual([{ user_version: migrations.length - 1 }]);
        raw.close();
      }
      expect(statSync(backups()).mode & 0o777).toBe(0o700);
    },
  );

  it('D19: an upgrade whose backup fails changes nothing', { timeout: 120_000 }, async () => {
    await makeDatabase();
    makeOlder();
    writeFileSync(backups(), 'not a folder');
    await expect(open()).rejects.toMatchObject({
      code: 'store_backup_failed',
      message: expect.stringContaining('backups failed: ') as unknown,
    });
    const raw = new Libsql(path());
    expect(raw.pragma('user_version')).toEqual([{ user_version: migrations.length - 1 }]);
    raw.close();
  });

  it(
    'D19: a killed backup leaves nothing that looks complete, and the next one removes its rest',
    { timeout: 120_000 },
    async () => {
      await makeDatabase();
      await enlarge();
      makeOlder();
      const module = new URL('../../dist/storage/connection.js', import.meta.url).href;
      const script = `import { openConnection } from ${JSON.stringify(module)}; openConnection(${JSON.stringify(path())});`;
      const unfinished = (): string[] =>
        readdirSync(directory).includes('backups')
          ? readdirSync(backups()).filter((name) => name.endsWith('.unfinished'))
          : [];
      const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'ignore' });
      await vi.waitUntil(() => unfinished().length > 0 || child.exitCode !== null, {
        timeout: 60_000,
        interval: 1,
      });
      child.kill('SIGKILL');
      await once(child, 'close');
      for (const name of readdirSync(backups()).filter((each) => each.endsWith('.sqlite'))) {
        const raw = new Libsql(join(backups(), name));
        expect(raw.pragma('quick_check')).toEqual([{ quick_check: 'ok' }]);
        raw.close();
      }
      makeOlder();
      await upgrade();
      expect(unfinished()).toEqual([]);
      expect(readdirSync(backups()).length).toBeGreaterThan(0);
    },
  );
});
