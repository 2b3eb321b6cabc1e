import { open, rename, symlink, truncate, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Store } from '../../storage/store.ts';
import { admin, makePrincipal, MiB, sha256, startDomain, writeRandom } from '../images.testkit.ts';
import type { DomainUnderTest } from '../images.testkit.ts';

let domain: DomainUnderTest;
const path = (name: string): string => join(domain.poolDir, name);

beforeEach(async () => {
  domain = await startDomain();
  await writeRandom(path('a.raw'), 8 * MiB);
  await domain.rescan();
});
afterEach(async () => {
  await domain.close();
});

async function countOperations(): Promise<number> {
  return (await domain.operations.list({ limit: 200 }, admin)).items.length;
}

/** The refusal, which must be quick and must not have written anything. */
async function refusalOf(
  attempt: () => Promise<unknown>,
): Promise<{ code: string; message: string; field?: string }> {
  const before = await countOperations();
  const startedAt = performance.now();
  const error: unknown = await attempt().then(
    () => new Error('It was accepted.'),
    (caught: unknown) => caught,
  );
  expect(performance.now() - startedAt).toBeLessThan(5_000);
  expect(await countOperations()).toBe(before);
  expect(await domain.litter()).toEqual([]);
  return error as { code: string; message: string };
}

describe('a copy', () => {
  it('a copy becomes an image with the same bytes, and leaves no hidden file', async () => {
    const accepted = await domain.copy('a.raw', 'b.raw');
    expect(accepted).toMatchObject({ action: 'copy_vm_image', label: 'copy_vm_image_100', state: 'queued' });
    const ended = await domain.wait(accepted.id, 'succeeded');
    const image = await domain.image('b.raw');
    expect(ended).toMatchObject({
      result: { kind: 'image', id: image.id },
      target: { kind: 'image', id: image.id, name: 'b.raw' },
      method: 'kernel-copy',
      bytes: { virtual: 8 * MiB, data: 8 * MiB, written: 8 * MiB, shared: 0, skipped: 0 },
      error: null,
    });
    expect(ended.phases.map(({ name, state }) => `${name}:${state}`)).toEqual([
      'inspect:done',
      'reserve:done',
      'transfer:done',
      'flush:done',
      'publish:done',
    ]);
    expect(image).toMatchObject({ format: 'raw', copiedFrom: 100, owner: admin.userId, state: 'ready' });
    expect(await sha256(path('b.raw'))).toBe(await sha256(path('a.raw')));
    expect(await domain.litter()).toEqual([]);
    expect(domain.errors).toEqual([]);
  });

  it('a copy and its reservations are in the store before its request is answered', async () => {
    const { id } = await domain.copy('a.raw', 'b.raw', { bytesPerSecond: 4 * MiB });
    const { db } = domain.store;
    const row = await db.selectFrom('operations').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
    expect(row).toMatchObject({ action: 'copy_vm_image', ownerId: admin.userId, endedAt: null });
    const names = await db.selectFrom('nameReservations').selectAll().execute();
    expect(names).toEqual([{ poolId: domain.poolId(), name: 'b.raw', operationId: id }]);
    const space = await db.selectFrom('spaceReservations').selectAll().execute();
    expect(space).toEqual([{ poolId: domain.poolId(), bytes: 8 * MiB, operationId: id }]);
    await domain.wait(id, 'succeeded');
    expect(await db.selectFrom('nameReservations').selectAll().execute()).toEqual([]);
    expect(await db.selectFrom('spaceReservations').selectAll().execute()).toEqual([]);
    const audit = await db.selectFrom('audit').select(['what', 'result', 'subject']).execute();
    expect(audit.filter(({ subject }) => subject === `operation:${id}`)).toEqual([
      { what: 'copy_vm_image', result: 'ok', subject: `operation:${id}` },
      { what: 'copy_vm_image.end', result: 'ok', subject: `operation:${id}` },
    ]);
  });

  it('a watcher never sees a state that is not durable', async () => {
    await domain.close();
    let isWritten = true;
    // Slow on purpose: a state that is shown too early is shown while this waits.
    const wrapStore = (store: Store): Store => ({
      ...store,
      async write(batch) {
        isWritten = false;
        await sleep(150);
        const results = await store.write(batch);
        isWritten = true;
        return results;
      },
    });
    domain = await startDomain({ wrapStore });
    await writeRandom(path('a.raw'), MiB);
    await domain.rescan();
    const shown = new Map<string, boolean>();
    const put = domain.hub.put.bind(domain.hub);
    domain.hub.put = (record) => {
      if (!shown.has(record.state)) shown.set(record.state, isWritten);
      return put(record);
    };
    const { id } = await domain.copy('a.raw', 'b.raw');
    await domain.wait(id, 'succeeded');
    expect([...shown]).toEqual([
      ['queued', true],
      ['running', true],
      ['succeeded', true],
    ]);
  });

  it('the log of a copy has its states and phases in order', async () => {
    const { id } = await domain.copy('a.raw', 'b.raw', { verify: true });
    await domain.wait(id, 'succeeded');
    const log = await domain.operations.log(id, admin);
    expect(log.map(({ kind, text }) => `${kind} ${text}`)).toEqual([
      'state queued',
      'state started',
      'phase inspect',
      'phase reserve',
      'phase transfer',
      'phase flush',
      'phase verify',
      'phase publish',
      'state succeeded',
    ]);
  });
});

describe('a refused copy', () => {
  it('refuses the name of a file, a record or another copy', async () => {
    await writeFile(path('by-hand.raw'), 'x');
    expect(await refusalOf(() => domain.copy('a.raw', 'by-hand.raw'))).toMatchObject({
      code: 'exists',
      field: 'name',
    });
    await symlink('/nonexistent', path('dangling'));
    expect(await refusalOf(() => domain.copy('a.raw', 'dangling'))).toMatchObject({ code: 'exists' });
    await unlink(path('dangling'));
    const { id } = await domain.copy('a.raw', 'b.raw', { bytesPerSecond: 4 * MiB });
    await expect(domain.copy('a.raw', 'b.raw')).rejects.toMatchObject({ code: 'exists' });
    await domain.operations.cancel(id, admin);
    await domain.wait(id, 'cancelled');
    await domain.wait((await domain.copy('a.raw', 'b.raw')).id, 'succeeded');
  });

  it('refuses an image that is missing, vanished, replaced, in use or unknown', async () => {
    await rename(path('a.raw'), path('.aside'));
    expect(await refusalOf(() => domain.copy('a.raw', 'b.raw'))).toMatchObject({ code: 'source_vanished' });
    await domain.rescan();
    expect(await refusalOf(() => domain.copy('a.raw', 'b.raw'))).toMatchObject({ code: 'image_unavailable' });
    await rename(path('.aside'), path('a.raw'));
    await domain.rescan();
    const writer = await open(path('a.raw'), 'r+');
    expect(await refusalOf(() => domain.copy('a.raw', 'b.raw'))).toMatchObject({ code: 'source_in_use' });
    await writer.close();
    await writeFile(path('.other'), 'another file');
    await rename(path('.other'), path('a.raw'));
    expect(await refusalOf(() => domain.copy('a.raw', 'b.raw'))).toMatchObject({ code: 'image_unavailable' });
    const body = { name: 'b.raw', method: 'copy', bytesPerSecond: null, verify: false } as const;
    const unknown = { id: 4_711, body, idempotencyKey: null };
    expect(await refusalOf(() => domain.images.copy(admin, unknown))).toMatchObject({ code: 'not_found' });
  });

  it('does not follow a source that became a symlink', async () => {
    await unlink(path('a.raw'));
    await symlink('/etc/hostname', path('a.raw'));
    expect(await refusalOf(() => domain.copy('a.raw', 'b.raw'))).toMatchObject({ code: 'not_regular' });
  });

  it('refuses a copy without enough space, and names the numbers', async () => {
    await domain.close();
    domain = await startDomain({ floor: { bytes: 2 ** 50, fraction: 0 } });
    await writeRandom(path('a.raw'), 3 * MiB);
    await domain.rescan();
    expect(await refusalOf(() => domain.copy('a.raw', 'b.raw'))).toMatchObject({
      code: 'no_space',
      message: 'Needs 3.0 MiB, 0 B free.',
    });
  });

  it('refuses the method "clone" if blocks cannot be shared', async () => {
    const [pool] = (await domain.images.pools(admin)).items;
    if (pool?.clonePossible === true) {
      const { id } = await domain.copy('a.raw', 'b.raw', { method: 'clone' });
      expect((await domain.wait(id, 'succeeded')).method).toBe('clone');
      return;
    }
    const refusal = await refusalOf(() => domain.copy('a.raw', 'b.raw', { method: 'clone' }));
    expect(refusal).toMatchObject({ code: 'clone_unsupported', field: 'method' });
  });

  it('refuses a copy into a pool without its marker', async () => {
    await rename(path('.wcc-pool'), path('.marker'));
    expect(await refusalOf(() => domain.copy('a.raw', 'b.raw'))).toMatchObject({ code: 'pool_unavailable' });
    await rename(path('.marker'), path('.wcc-pool'));
    await domain.wait((await domain.copy('a.raw', 'b.raw')).id, 'succeeded');
  });

  it('refuses a copy by a viewer', async () => {
    const viewer = makePrincipal('eve', 'viewer');
    expect(await refusalOf(() => domain.copy('a.raw', 'b.raw', { principal: viewer }))).toMatchObject({
      code: 'forbidden',
    });
  });
});

describe('an idempotency key', () => {
  it('one idempotency key returns one operation, also for concurrent requests', async () => {
    const ask = (): Promise<{ id: string }> => domain.copy('a.raw', 'b.raw', { key: 'k1' });
    const all = await Promise.all([ask(), ask(), ask()]);
    await domain.wait(all[0].id, 'succeeded');
    const later = await ask();
    expect(new Set([...all, later].map(({ id }) => id)).size).toBe(1);
    await expect(domain.copy('a.raw', 'c.raw', { key: 'k1' })).rejects.toMatchObject({
      code: 'idempotency_conflict',
    });
  });

  it('the same idempotency key of another user creates another operation', async () => {
    const first = await domain.copy('a.raw', 'b.raw', { key: 'k1', principal: makePrincipal('ann') });
    const second = await domain.copy('a.raw', 'c.raw', { key: 'k1', principal: makePrincipal('bob') });
    expect(second.id).not.toBe(first.id);
    await domain.wait(first.id, 'succeeded');
    await domain.wait(second.id, 'succeeded');
  });
});

describe('changes during a copy', () => {
  it('a copy never overwrites a file created at its destination while it runs', async () => {
    const { id } = await domain.copy('a.raw', 'b.raw', { bytesPerSecond: 2 * MiB });
    await domain.wait(id, 'running');
    await writeFile(path('b.raw'), 'by hand');
    const ended = await domain.wait(id, 'failed');
    expect(ended.error).toMatchObject({ code: 'exists' });
    expect(ended.error?.hint).not.toBe('');
    expect(await domain.litter()).toEqual([]);
    await domain.rescan();
    expect(await domain.image('b.raw')).toMatchObject({ sizeBytes: 7, owner: null });
  });

  it('a source that is truncated fails the copy, and nothing is published', async () => {
    const { id } = await domain.copy('a.raw', 'b.raw', { bytesPerSecond: 2 * MiB });
    // Truncated before the inspection, it would be a smaller source with a correct copy.
    await vi.waitUntil(
      async () => (await domain.operations.snapshot(id))?.phases[2]?.state === 'running',
      10_000,
    );
    await truncate(path('a.raw'), 4_096);
    expect((await domain.wait(id, 'failed')).error).toMatchObject({ code: 'source_changed' });
    expect(await domain.litter()).toEqual([]);
    await expect(domain.image('b.raw')).rejects.toThrow('there is no image');
  });

  it('a retry of a failed copy is a new operation that refers to the failed one', async () => {
    const { id } = await domain.copy('a.raw', 'b.raw', { bytesPerSecond: 2 * MiB });
    await domain.wait(id, 'running');
    await writeFile(path('b.raw'), 'by hand');
    await domain.wait(id, 'failed');
    await expect(domain.operations.retry(id, admin, null)).rejects.toMatchObject({ code: 'exists' });
    await unlink(path('b.raw'));
    const again = await domain.operations.retry(id, admin, 'once');
    expect(again).toMatchObject({ retryOf: id, action: 'copy_vm_image' });
    expect((await domain.operations.retry(id, admin, 'once')).id).toBe(again.id);
    await domain.wait(again.id, 'succeeded');
    await expect(domain.operations.retry(again.id, admin, null)).rejects.toMatchObject({
      code: 'invalid_state',
    });
  });
});
