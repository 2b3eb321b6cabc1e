import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fstatSync, openSync, writeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { StoreError } from './errors.ts';
import type { Store } from './store.ts';
import { openStore } from './store.ts';

let directory: string;
const background: unknown[] = [];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'wcc-durability-'));
});
afterEach(() => rm(directory, { recursive: true }));

/** A program with eight concurrent writers. It prints each acknowledged key on its standard output. */
function script(path: string): string {
  const store = new URL('../../dist/storage/store.js', import.meta.url).href;
  return `
    import { openStore } from ${JSON.stringify(store)};
    import { writeSync } from 'node:fs';
    const store = await openStore(${JSON.stringify(path)}, { onError: (error) => { throw error; } });
    let count = 0;
    const caller = async () => {
      for (;;) {
        const key = String(count++);
        await store.write([{ query: store.db.insertInto('settings').values({ key, value: 'x' }) }]);
        writeSync(1, key + '\\n');
      }
    };
    await Promise.all(Array.from({ length: 8 }, caller));
  `;
}

it('the store loses no acknowledged write when the process is killed', { timeout: 60_000 }, async () => {
  const acknowledged: string[] = [];
  for (let round = 0; round < 3; round += 1) {
    const path = join(directory, `${round}.sqlite`);
    const child = spawn(process.execPath, ['--input-type=module', '-e', script(path)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
    await vi.waitUntil(() => text.length > 500 * (round + 1) || child.exitCode !== null, {
      timeout: 20_000,
      interval: 5,
    });
    child.kill('SIGKILL');
    await once(child, 'close');
    const keys = text.split('\n').slice(0, -1);
    acknowledged.push(...keys);
    const store = await openStore(path, { onError: (error) => void background.push(error) });
    const rows = await store.db.selectFrom('settings').select('key').execute();
    await store.close();
    const kept = new Set(rows.map(({ key }) => key));
    expect(keys.filter((key) => !kept.has(key))).toEqual([]);
    expect(background).toEqual([]);
  }
  expect(acknowledged.length).toBeGreaterThan(300);
});

describe('D21: the end of the database thread', () => {
  const reported: unknown[] = [];
  const fatal: unknown[] = [];
  const threads: Worker[] = [];
  let store: Store;
  beforeEach(async () => {
    for (const list of [reported, fatal, threads]) list.length = 0;
    const posts = vi.spyOn(Worker.prototype, 'postMessage').mockImplementation(function (
      this: Worker,
      message,
    ) {
      if (!threads.includes(this)) threads.push(this);
      return post.call(this, message);
    });
    store = await openStore(join(directory, 'wcc.sqlite'), {
      onError: (error, context) => void reported.push([(error as StoreError).code, context.stage]),
      onFatal: (error) => void fatal.push(error),
    });
    await put('before');
    return async () => {
      await store.close();
      posts.mockRestore();
    };
  });
  const { postMessage: post } = Worker.prototype as { postMessage: (message: unknown) => void };
  const put = (key: string): Promise<unknown> =>
    store.write([{ query: store.db.insertInto('settings').values({ key, value: 'x' }) }]);
  const keys = async (): Promise<string[]> =>
    (await store.db.selectFrom('settings').select('key').orderBy('key').execute()).map(({ key }) => key);
  /** The store never sends null, so the thread crashes. */
  const crash = (): void => post.call(threads.at(-1)!, null);

  it('D21: the store starts its thread again, and keeps what was written', async () => {
    crash();
    await expect(put('lost')).rejects.toMatchObject({ code: 'store_failed' });
    expect(store.status().isOpen).toBe(false);
    await vi.waitUntil(() => store.status().isOpen, { timeout: 60_000 });
    await put('after');
    expect(await keys()).toEqual(['after', 'before']);
    expect(reported).toEqual([['store_failed', 'storage']]);
    expect(fatal).toEqual([]);
  });

  it(
    'D21: a thread that ends again and again ends the store for good, once',
    { timeout: 120_000 },
    async () => {
      for (let ends = 1; fatal.length === 0; ends += 1) {
        crash();
        await vi.waitUntil(() => reported.length === ends, { timeout: 60_000 });
        await vi.waitUntil(() => store.status().isOpen || fatal.length > 0, { timeout: 60_000 });
        // The new thread is known by its first message.
        if (fatal.length === 0) await keys();
      }
      expect(reported.length).toBe(4);
      expect(fatal).toEqual([expect.objectContaining({ code: 'store_failed' })]);
      await expect(keys()).rejects.toMatchObject({ code: 'store_failed' });
    },
  );

  it('D21: a thread that finds the database damaged is not started again', async () => {
    await store.close();
    store = await openStore(join(directory, 'wcc.sqlite'), {
      onError: (error, context) => void reported.push([(error as StoreError).code, context.stage]),
      onFatal: (error) => void fatal.push(error),
    });
    await keys();
    damage(join(directory, 'wcc.sqlite'));
    crash();
    await vi.waitUntil(() => fatal.length > 0, { timeout: 60_000 });
    expect(fatal).toEqual([expect.objectContaining({ code: 'store_damaged' })]);
  });
});

/** Overwrites every page but the first, as a broken disk would. */
function damage(path: string): void {
  const pageBytes = 4096;
  const fd = openSync(path, 'r+');
  const pages = fstatSync(fd).size / pageBytes;
  for (let page = 1; page < pages; page += 1)
    writeSync(fd, Buffer.alloc(pageBytes, 0xa5), 0, pageBytes, page * pageBytes);
  closeSync(fd);
}
