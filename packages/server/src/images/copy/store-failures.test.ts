import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { StoreError } from '../../storage/errors.ts';
import type { Store } from '../../storage/store.ts';
import { admin, MiB, sha256, startDomain, writeRandom } from '../images.testkit.ts';
import type { DomainUnderTest } from '../images.testkit.ts';

let domain: DomainUnderTest;
const path = (name: string): string => join(domain.poolDir, name);
afterEach(async () => {
  await domain.close();
});

/** Numbers of the next writes that go wrong. */
interface Trouble {
  /** Writes that fail before anything is stored. */
  fail: number;
  /** Writes that are stored although their answer is lost. */
  lose: number;
  delayMs: number;
}

async function start(): Promise<Trouble> {
  const trouble: Trouble = { fail: 0, lose: 0, delayMs: 0 };
  const wrapStore = (store: Store): Store => ({
    ...store,
    async write(batch) {
      await sleep(trouble.delayMs);
      if (trouble.fail > 0) {
        trouble.fail -= 1;
        throw new StoreError('store_failed');
      }
      const results = await store.write(batch);
      if (trouble.lose === 0) return results;
      trouble.lose -= 1;
      throw new StoreError('store_failed');
    },
  });
  domain = await startDomain({ wrapStore });
  await writeRandom(path('a.raw'), 8 * MiB);
  await domain.rescan();
  return trouble;
}

async function expectOneGoodEnd(id: string): Promise<void> {
  await domain.wait(id, 'succeeded');
  expect(await sha256(path('b.raw'))).toBe(await sha256(path('a.raw')));
  const log = await domain.operations.log(id, admin);
  expect(log.filter(({ text }) => text === 'succeeded')).toHaveLength(1);
  const { items } = await domain.images.list(admin, { limit: 10 });
  expect(items.filter(({ name }) => name === 'b.raw')).toHaveLength(1);
  expect(await domain.litter()).toEqual([]);
}

it.each([
  ['fail', 6],
  ['lose', 1],
] as const)('an end that the store refuses at first (%s × %i) is written once', async (kind, count) => {
  const trouble = await start();
  const { id } = await domain.copy('a.raw', 'b.raw', { bytesPerSecond: 2 * MiB });
  await domain.wait(id, 'running');
  await sleep(300);
  trouble[kind] = count;
  await expectOneGoodEnd(id);
  expect(domain.errors.length).toBeGreaterThanOrEqual(count);
});

it('a change that was written after its caller gave up does not block the end', async () => {
  const trouble = await start();
  const { id } = await domain.copy('a.raw', 'b.raw', { bytesPerSecond: 2 * MiB });
  await domain.wait(id, 'running');
  await sleep(300);
  trouble.lose = 1;
  trouble.fail = 0;
  const write = domain.store.write.bind(domain.store);
  // The first attempt is stored without an answer; all further attempts of this change fail.
  domain.store.write = async (batch) => {
    const isFirst = trouble.lose > 0;
    if (!isFirst && (failures += 1) <= 3) throw new StoreError('store_failed');
    return write(batch);
  };
  let failures = 0;
  await expect(domain.operations.pause(id, admin)).rejects.toMatchObject({ code: 'store_failed' });
  await expectOneGoodEnd(id);
});

it('a slow store does not slow down a copy', async () => {
  const trouble = await start();
  const { id } = await domain.copy('a.raw', 'b.raw', { bytesPerSecond: 2 * MiB });
  await domain.wait(id, 'running');
  // 8 MiB at 2 MiB/s; every write to the store takes longer than that.
  trouble.delayMs = 10_000;
  await expect
    .poll(async () => (await domain.operations.snapshot(id))?.bytes?.written, { timeout: 9_500 })
    .toBe(8 * MiB);
  trouble.delayMs = 0;
  await expectOneGoodEnd(id);
});

it('a start that cannot be stored is retried, and a request that cannot be stored is refused', async () => {
  const trouble = await start();
  const { id } = await domain.copy('a.raw', 'b.raw', { bytesPerSecond: 2 * MiB });
  trouble.fail = 5;
  await expect(domain.copy('a.raw', 'c.raw')).rejects.toMatchObject({ code: 'store_failed' });
  await expectOneGoodEnd(id);
  expect((await domain.operations.list({ limit: 10 }, admin)).items).toHaveLength(1);
});
