import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Libsql from 'libsql';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { auditStatement } from './audit.ts';
import { verifyStored } from './audit.testkit.ts';
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

describe('writes of the store', () => {
  it('a batch returns its changes and rows, and is still there after the store is reopened', async () => {
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

  it('a batch is rolled back when one statement violates a constraint', async () => {
    await store.write([set('a')]);
    const error: unknown = await store.write([set('b'), set('a')]).catch((reason: unknown) => reason);
    expect(isUniqueViolation(error)).toBe(true);
    expect(error).toMatchObject({ code: 'store_constraint' });
    expect(await keys()).toEqual(['a']);
  });

  it('a batch that changes too few rows is rolled back, and its group is written', async () => {
    const missing = store.db.updateTable('settings').set({ value: 'z' }).where('key', '=', 'missing');
    const all = await Promise.allSettled([
      store.write([set('before')]),
      store.write([set('lost'), { query: missing, expectRows: 1 }]),
      store.write([set('after')]),
    ]);
    expect(all.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(all[1]).toMatchObject({ reason: expect.any(StoreConflict) });
    expect(await keys()).toEqual(['after', 'before']);
  });

  it('a read sees a batch that was submitted before it', async () => {
    const writing = store.write([set('a')]);
    const seen = await keys();
    await writing;
    expect(seen).toEqual(['a']);
  });
});

it('1,000 concurrent batches are all readable when their writes have resolved', async () => {
  await Promise.all(Array.from({ length: 1000 }, (_, index) => store.write([set(`k${index}`)])));
  expect((await keys()).length).toBe(1000);
});

describe('refused calls of the store', () => {
  it('the store refuses a write outside a batch, and a transaction', async () => {
    const write = store.db.insertInto('settings').values({ key: 'a', value: 'b' }).execute();
    await expect(write).rejects.toMatchObject({ code: 'store_misuse' });
    await expect(store.db.transaction().execute(async () => {})).rejects.toMatchObject({
      code: 'store_misuse',
    });
    expect(await keys()).toEqual([]);
  });

  it('a closed store rejects a write', async () => {
    await store.close();
    await expect(store.write([set('a')])).rejects.toMatchObject({ code: 'store_closed' });
    await store.close();
  });
});

it('closing the store finishes earlier writes', async () => {
  const writing = [store.write([set('a')]), store.write([set('b')])];
  await store.close();
  await Promise.all(writing);
  store = await openStore(path(), { onError });
  expect(await keys()).toEqual(['a', 'b']);
});

describe('opening the store', () => {
  it('the store refuses a newer schema, names it, and does not change the file', async () => {
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

  it('the store refuses the database of another program', async () => {
    const other = join(directory, 'other.sqlite');
    const raw = new Libsql(other);
    raw.exec('create table theirs (a)');
    raw.close();
    await expect(openStore(other, { onError })).rejects.toMatchObject({ code: 'store_foreign' });
  });

  it('opening a store in a missing directory fails with store_unopenable', async () => {
    const opening = openStore(join(directory, 'nowhere', 'wcc.sqlite'), { onError });
    await expect(opening).rejects.toMatchObject({ code: 'store_unopenable' });
  });

  it('the store uses write-ahead logging, full sync and foreign keys', async () => {
    const { rows } = await sql<{ journal_mode: string }>`pragma journal_mode`.execute(store.db);
    expect(rows).toEqual([{ journal_mode: 'wal' }]);
    expect((await sql`pragma synchronous`.execute(store.db)).rows).toEqual([{ synchronous: 2 }]);
    expect((await sql`pragma foreign_keys`.execute(store.db)).rows).toEqual([{ foreign_keys: 1 }]);
  });
});

describe('the audit record', () => {
  const entry = (what: string) =>
    auditStatement({ who: 'sato', address: '127.0.0.1', what, subject: null, result: 'ok' });

  it('the audit chain across batches is verified as intact', async () => {
    await Promise.all([store.write([set('a'), entry('one')]), store.write([entry('two'), entry('three')])]);
    await expect(store.write([entry('lost'), set('a')])).rejects.toMatchObject({ code: 'store_constraint' });
    await store.write([entry('four')]);
    expect(await verifyStored(store)).toMatchObject({ intact: true, rowCount: 4 });
  });

  it('SL7: a row of the record is one line of characters that can be seen, whatever was sent', async () => {
    const who = 'admin-token (token x)\nroot1 \u202e\u001b[2J(token y)';
    await store.write([
      auditStatement({ who, address: 'a\tb', what: 'x\u200b', subject: 'user:\u2028', result: '\u0000' }),
    ]);
    const row = await store.db.selectFrom('audit').selectAll().executeTakeFirstOrThrow();
    expect(row).toMatchObject({
      who: String.raw`admin-token (token x)\u{a}root1 \u{202e}\u{1b}[2J(token y)`,
      address: String.raw`a\u{9}b`,
      what: String.raw`x\u{200b}`,
      subject: String.raw`user:\u{2028}`,
      result: String.raw`\u{0}`,
    });
    expect(await verifyStored(store)).toMatchObject({ intact: true });
  });

  it('audit rows cannot be changed or deleted, and a forced change breaks the chain', async () => {
    await store.write([entry('one'), entry('two'), entry('three')]);
    const change = store.db.updateTable('audit').set({ who: 'mallory' });
    const removal = store.db.deleteFrom('audit');
    await expect(store.write([{ query: change }])).rejects.toThrow(/append-only/);
    await expect(store.write([{ query: removal }])).rejects.toThrow(/append-only/);
    await store.close();
    const raw = new Libsql(path());
    raw.exec(`drop trigger auditForbidsUpdate; update audit set who = 'mallory' where number = 2`);
    raw.close();
    store = await openStore(path(), { onError });
    expect(await verifyStored(store)).toMatchObject({
      intact: false,
      problems: [{ kind: 'row_changed', number: 2 }],
    });
  });
});
