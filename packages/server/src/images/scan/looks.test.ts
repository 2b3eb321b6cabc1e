import { appendFile, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { admin, startDomain } from '../images.testkit.ts';
import type { DomainOptions, DomainUnderTest } from '../images.testkit.ts';
import { scanPool } from './scan.ts';
import { createPoolWatch } from './watch.ts';

/** Longer than any test. */
const never = 3_600_000;
let domain: DomainUnderTest;
const path = (name: string): string => join(domain.poolDir, name);

async function start(options: DomainOptions = {}): Promise<void> {
  domain = await startDomain({ pollMs: never, ...options });
}
afterEach(async () => {
  vi.restoreAllMocks();
  await domain.close();
});

async function states(): Promise<Record<string, string>> {
  const { items } = await domain.images.list(admin, { limit: 200 });
  return Object.fromEntries(items.map(({ name, state }) => [name, state]));
}

/** Every file looks as if it had not changed for an hour. */
function shiftClock(): void {
  const now = Date.now.bind(Date);
  vi.spyOn(Date, 'now').mockImplementation(() => now() + 3_600_000);
}

/** Counts the reads of all rows of a pool from now on: one for each look at the whole pool. */
function countWholeLooks(): () => number {
  const post = vi.spyOn(Worker.prototype, 'postMessage');
  const whole = 'select * from "images" where "poolId" = ?';
  return () => post.mock.calls.filter(([message]) => (message as { sql?: string }).sql === whole).length;
}

describe('D10: automatic looks', () => {
  it('D10: writes to a registered image cause no look at the whole pool', async () => {
    await start();
    await writeFile(path('disk.raw'), Buffer.alloc(4_096));
    await domain.rescan();
    const wholeLooks = countWholeLooks();
    await appendFile(path('disk.raw'), Buffer.alloc(4_096));
    await expect
      .poll(async () => (await domain.image('disk.raw')).sizeBytes, { timeout: 10_000 })
      .toBe(8_192);
    expect(wholeLooks()).toBe(0);
    await domain.rescan();
    expect(wholeLooks()).toBe(1);
  });

  it('D10: a file that is copied in is registered, and one that is removed is missing', async () => {
    await start();
    shiftClock();
    await writeFile(path('gone.raw'), 'x');
    await domain.rescan();
    const wholeLooks = countWholeLooks();
    await writeFile(path('.copy'), 'x');
    await rename(path('.copy'), path('new.raw'));
    await rm(path('gone.raw'));
    await expect.poll(states, { timeout: 10_000 }).toEqual({ 'gone.raw': 'missing', 'new.raw': 'ready' });
    expect(wholeLooks()).toBe(0);
  });

  it('D10: a look at names marks no image as missing while the pool is gone', async () => {
    await start();
    await writeFile(path('disk.raw'), 'x');
    await domain.rescan();
    await appendFile(path('disk.raw'), 'y');
    await rename(domain.poolDir, `${domain.poolDir}.away`);
    await mkdir(domain.poolDir);
    await expect.poll(() => domain.pools.isReady(domain.poolId()), { timeout: 10_000 }).toBe(false);
    // Waits for the end of the look.
    await expect(domain.rescan()).rejects.toMatchObject({ code: 'pool_unavailable' });
    expect(await states()).toEqual({ 'disk.raw': 'ready' });
  });

  it('D10: the rescan of a person goes before an automatic look', async () => {
    await start({ pollMs: 250 });
    await writeFile(path('disk.raw'), 'x');
    const recoverPool = domain.operations.recoverPool.bind(domain.operations);
    let release: () => void = () => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    const recover = vi.spyOn(domain.operations, 'recoverPool').mockImplementationOnce(async (...args) => {
      await held;
      await recoverPool(...args);
    });
    await expect.poll(() => recover.mock.calls.length, { timeout: 10_000 }).toBe(1);
    const wholeLooks = countWholeLooks();
    const rescan = domain.rescan();
    release();
    expect(await rescan).toMatchObject({ added: 1 });
    expect(wholeLooks()).toBe(1);
  });

  it('D10: a look that stops for a person marks no image as missing', async () => {
    await start();
    for (const name of ['a.raw', 'b.raw']) await writeFile(path(name), 'x');
    await domain.rescan();
    await rm(path('b.raw'));
    const pool = { id: domain.poolId(), path: domain.poolDir };
    const numbers = {
      take: (): never => {
        throw new Error('there is no new file');
      },
    };
    const look = { store: domain.store, numbers, pool, mode: 'automatic' } as const;
    await scanPool({ ...look, isStopped: () => true });
    expect(await states()).toEqual({ 'a.raw': 'ready', 'b.raw': 'ready' });
    await scanPool(look);
    expect(await states()).toEqual({ 'a.raw': 'ready', 'b.raw': 'missing' });
  });

  it('D10: events cause looks after a look that failed', async () => {
    await start();
    const looks: string[][] = [];
    const errors: unknown[] = [];
    const watch = createPoolWatch({
      onError: (error) => void errors.push(error),
      onPoll: () => Promise.reject(new Error('no poll')),
      async onNames(names) {
        looks.push([...names]);
        if (looks.length > 1) return [];
        await appendFile(path('disk.raw'), 'y');
        await rename(path('disk.raw'), path('new.raw'));
        throw new Error('the look fails');
      },
      settleMs: 10,
      pollMs: never,
    });
    watch.attach(domain.poolDir);
    await writeFile(path('disk.raw'), 'x');
    await expect.poll(() => looks.flat(), { timeout: 10_000 }).toContain('new.raw');
    watch.close();
    expect(errors).toMatchObject([{ message: 'the look fails' }]);
    expect(looks[0]).toEqual(['disk.raw']);
  });
});
