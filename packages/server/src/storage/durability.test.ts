import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
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

it('the store reports a dead thread once and refuses all later calls', async () => {
  const reported: unknown[] = [];
  const posts = vi.spyOn(Worker.prototype, 'postMessage');
  const store = await openStore(join(directory, 'wcc.sqlite'), {
    onError: (error, context) => void reported.push([error, context]),
  });
  await store.db.selectFrom('settings').selectAll().execute();
  const worker = posts.mock.contexts[0] as Worker;
  posts.mockRestore();
  // The store never sends null. It crashes the thread before the thread reads the write.
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  worker.postMessage(null);
  const write = store.write([{ query: store.db.insertInto('settings').values({ key: 'a', value: 'b' }) }]);
  await expect(write).rejects.toMatchObject({
    code: 'store_failed',
    cause: expect.any(TypeError) as unknown,
  });
  const failed = expect.objectContaining({ code: 'store_failed' }) as unknown;
  expect(reported).toEqual([[failed, { stage: 'storage' }]]);
  const read = store.db.selectFrom('settings').selectAll().execute();
  await expect(read).rejects.toMatchObject({ code: 'store_failed' });
  await store.close();
});
