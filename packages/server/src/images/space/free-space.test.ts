import type * as files from 'node:fs/promises';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { openStore } from '../../storage/store.ts';
import type { Store } from '../../storage/store.ts';
import { measureFreeSpace } from './free-space.ts';

/** The calls to the disk that have not returned. */
const running = vi.hoisted(() => ({ now: 0, most: 0 }));
async function counted<Result>(call: () => Promise<Result>): Promise<Result> {
  running.now += 1;
  running.most = Math.max(running.most, running.now);
  return call().finally(() => (running.now -= 1));
}
vi.mock('node:fs/promises', async (original) => {
  const actual = await original<typeof files>();
  const { lstat, statfs } = actual;
  return {
    ...actual,
    lstat: (path: string) => counted(() => lstat(path)),
    statfs: (path: string) => counted(() => statfs(path)),
  };
});

let directory: string;
let store: Store;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'wcc-space-'));
  store = await openStore(join(directory, 'wcc.sqlite'), {
    onError: (error) => {
      throw error;
    },
  });
});
afterEach(async () => {
  await store.close();
  await rm(directory, { recursive: true });
});

it('the measurement of space keeps one thread for files at a time, so that a disk that hangs keeps one', async () => {
  running.most = 0;
  const floor = { bytes: 0, fraction: 0 };
  const { freeBytes, freeInodes } = await measureFreeSpace({ store, floor }, { id: 'a', path: directory });
  expect(freeBytes).toBeGreaterThan(0);
  expect(freeInodes ?? 1).toBeGreaterThan(0);
  expect(running.most).toBe(1);
});
