import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Libsql from 'libsql';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { auditStatement, verifyAuditChain } from './audit.ts';
import { isUniqueViolation, StoreConflict } from './errors.ts';
import type { Store } from './store.ts';
import { openStore } from './store.ts';

let directory: string;
let store: Store;
const background: unknown[] = [];
const onError = (error: unknown): void => void background.push(error);
const path = (): string => join(directory, 'wcc.sqlite');

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'wcc-store-'));
  store = await openStore(path(), { onError });
});
afterEach(async () => {
  await store.close();
  await rm(directory, { recursive: true });
  if (background.length > 0) throw new AggregateError(background.splice(0), 'background failures');
});

const set = (key: string, value = 'x') => ({
  query: store.db.insertInto('settings').values({ key, value }),
});
const keys = async (): Promise<string[]> => {
  const rows = await store.db.selectFrom('settings').select('key').orderBy('key').execute();
  return rows.map(({ key }) => key);
};

describe('a batch', () => {
  it('is written whole, answers changes and returned rows, and is there after a reopening', async () => {
    const update = store.db
      .updateTable('settings')
      .set({ value: 'y' })
      .where('key', '=', 'a')
      .returning('value');
    const results = await store.write([set('a'), set('b'), { query: update, expectRows: 1 }]);
    expect(results.map(({ changes }) => changes)).toEqual([1, 1, 1]);
    expect(results[2]?.rows).toEqual([{ value: 'y' }]);
    await store.close();
    store = await openStore(path(), { onError });
    expect(await keys()).toEqual(['a', 'b']);
  });

  it('is taken back whole when one statement breaks a rule', async () => {
    await store.write([set('a')]);
    const error: unknown = await store.write([set('b'), set('a')]).catch((reason: unknown) => reason);
    expect(isUniqueViolation(error)).toBe(true);
    expect(error).toMatchObject({ code: 'store_constraint' });
    expect(await keys()).toEqual(['a']);
  });

  it('whose row count differs takes back only itself, not its neighbours in the group', async () => {
    const nobody = store.db.updateTable('settings').set({ value: 'z' }).where('key', '=', 'nobody');
    const all = await Promise.allSettled([
      store.write([set('before')]),
      store.write([set('lost'), { query: nobody, expectRows: 1 }]),
      store.write([set('after')]),
    ]);
    expect(all.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(all[1]).toMatchObject({ reason: expect.any(StoreConflict) });
    expect(await keys()).toEqual(['after', 'before']);
  });

  it('asked for before a read is seen by it', async () => {
    const writing = store.write([set('a')]);
    const seen = await keys();
    await writing;
    expect(seen).toEqual(['a']);
  });
});

it('takes 1,000 batches at once, all there when told', async () => {
  await Promise.all(Array.from({ length: 1000 }, (_, index) => store.write([set(`k${index}`)])));
  expect((await keys()).length).toBe(1000);
});

describe('misuse', () => {
  it('is refused: a write that goes past the batches, a transaction', async () => {
    const write = store.db.insertInto('settings').values({ key: 'a', value: 'b' }).execute();
    await expect(write).rejects.toMatchObject({ code: 'store_misuse' });
    await expect(store.db.transaction().execute(async () => {})).rejects.toMatchObject({
      code: 'store_misuse',
    });
    expect(await keys()).toEqual([]);
  });

  it('after the closing is refused at once', async () => {
    await store.close();
    await expect(store.write([set('a')])).rejects.toMatchObject({ code: 'store_closed' });
    await store.close();
  });
});

it('finishes what was asked for before the closing', async () => {
  const writing = [store.write([set('a')]), store.write([set('b')])];
  await store.close();
  await Promise.all(writing);
  store = await openStore(path(), { onError });
  expect(await keys()).toEqual(['a', 'b']);
});

describe('opening', () => {
  it('refuses a newer schema, says which, and leaves the file as it is', async () => {
    await store.close();
    const raw = new Libsql(path());
    raw.exec('pragma user_version = 99');
    raw.close();
    const opening = openStore(path(), { onError });
    await expect(opening).rejects.toMatchObject({
      code: 'store_newer',
      message: expect.stringMatching(/schema 99.*newer version/s),
    });
    const again = new Libsql(path());
    expect(again.pragma('user_version')).toEqual([{ user_version: 99 }]);
    again.close();
  });

  it('refuses the database of another program', async () => {
    const other = join(directory, 'other.sqlite');
    const raw = new Libsql(other);
    raw.exec('create table theirs (a)');
    raw.close();
    await expect(openStore(other, { onError })).rejects.toMatchObject({ code: 'store_foreign' });
  });

  it('says when the place cannot be written', async () => {
    const opening = openStore(join(directory, 'nowhere', 'wcc.sqlite'), { onError });
    await expect(opening).rejects.toMatchObject({ code: 'store_unopenable' });
  });

  it('uses the durable settings', async () => {
    const { rows } = await sql<{ journal_mode: string }>`pragma journal_mode`.execute(store.db);
    expect(rows).toEqual([{ journal_mode: 'wal' }]);
    expect((await sql`pragma synchronous`.execute(store.db)).rows).toEqual([{ synchronous: 2 }]);
    expect((await sql`pragma foreign_keys`.execute(store.db)).rows).toEqual([{ foreign_keys: 1 }]);
  });
});

describe('the audit record', () => {
  const entry = (what: string) =>
    auditStatement({ who: 'sato', address: '127.0.0.1', what, subject: null, result: 'ok' });

  it('is chained across batches and verified', async () => {
    await Promise.all([store.write([set('a'), entry('one')]), store.write([entry('two'), entry('three')])]);
    await expect(store.write([entry('lost'), set('a')])).rejects.toMatchObject({ code: 'store_constraint' });
    await store.write([entry('four')]);
    expect(await verifyAuditChain(store)).toEqual({ intact: true, rowCount: 4 });
  });

  it('cannot be changed or deleted, and shows it when somebody forces it', async () => {
    await store.write([entry('one'), entry('two'), entry('three')]);
    const change = store.db.updateTable('audit').set({ who: 'nobody' });
    const removal = store.db.deleteFrom('audit');
    await expect(store.write([{ query: change }])).rejects.toThrow(/append-only/);
    await expect(store.write([{ query: removal }])).rejects.toThrow(/append-only/);
    await store.close();
    const raw = new Libsql(path());
    raw.exec(`drop trigger auditForbidsUpdate; update audit set who = 'nobody' where number = 2`);
    raw.close();
    store = await openStore(path(), { onError });
    expect(await verifyAuditChain(store)).toEqual({ intact: false, brokenAtNumber: 2 });
  });
});
