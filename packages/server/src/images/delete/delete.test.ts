import { link, open, readdir, rename, stat, symlink, truncate, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Principal } from '../../access/principal.ts';
import { admin, makePrincipal, MiB, startDomain, writeRandom } from '../images.testkit.ts';
import type { DomainUnderTest } from '../images.testkit.ts';
import type { Snapshot } from '@wcc/progress';
import { readSlowly } from '../download/slow-client.testkit.ts';

vi.setConfig({ testTimeout: 120_000 });
let domain: DomainUnderTest;
const path = (name: string): string => join(domain.poolDir, name);

beforeEach(async () => {
  domain = await startDomain({ maxRunningPerPool: 1 });
  await writeRandom(path('a.raw'), 4 * MiB);
  await domain.rescan();
});
afterEach(async () => {
  await domain.close();
});

async function remove(name: string, principal: Principal = admin): Promise<Snapshot> {
  const { id } = await domain.image(name);
  return domain.images.remove(principal, { id, idempotencyKey: null });
}

const names = async (): Promise<string[]> =>
  (await readdir(domain.poolDir)).filter((name) => !name.startsWith('.'));

describe('delete_image', () => {
  it('deletes the file and its record, and leaves no hidden file', async () => {
    const { id } = await domain.image('a.raw');
    const accepted = await remove('a.raw');
    expect(accepted).toMatchObject({ action: 'delete_image', label: 'delete_image_100' });
    const ended = await domain.wait(accepted.id, 'succeeded');
    expect(ended.result).toEqual({ kind: 'image', id });
    expect(await names()).toEqual([]);
    expect(await domain.litter()).toEqual([]);
    await expect(domain.images.get(admin, id)).rejects.toMatchObject({ code: 'not_found' });
    expect(await domain.rescan()).toMatchObject({ added: 0, missing: 0 });
    expect(domain.errors).toEqual([]);
  });

  it('deletes an image while copies occupy all slots', async () => {
    await writeRandom(path('b.raw'), MiB);
    await domain.rescan();
    const copy = await domain.copy('a.raw', 'c.raw', { bytesPerSecond: 65_536 });
    await domain.wait(copy.id, 'running');
    await domain.wait((await remove('b.raw')).id, 'succeeded');
    expect((await domain.operations.snapshot(copy.id))?.state).toBe('running');
  });

  it('frees a large file in steps, and keeps the blocks of a hard link', async () => {
    await writeFile(path('big.raw'), 'x');
    await truncate(path('big.raw'), 5 * 1024 ** 3);
    await domain.rescan();
    await link(path('big.raw'), join(domain.home, 'elsewhere'));
    await domain.wait((await remove('big.raw')).id, 'succeeded');
    expect((await stat(join(domain.home, 'elsewhere'))).size).toBe(5 * 1024 ** 3);
    await truncate(path('huge.raw'), 0).catch(() => {});
    await writeFile(path('huge.raw'), 'x');
    await truncate(path('huge.raw'), 5 * 1024 ** 3);
    await domain.rescan();
    await domain.wait((await remove('huge.raw')).id, 'succeeded');
    expect(await names()).toEqual(['a.raw']);
  });

  it('D20: lets a reader of a deleted image read it to its end', async () => {
    const sizeBytes = 2 * 1024 ** 3;
    await writeFile(path('big.raw'), 'x');
    await truncate(path('big.raw'), sizeBytes);
    await domain.rescan();
    const { id } = await domain.image('big.raw');
    const download = await domain.images.open(admin, id);
    const other = await open(path('big.raw'), 'r');
    try {
      const parts = readSlowly(download, { start: sizeBytes - 3 * MiB, end: sizeBytes });
      let bytes = ((await parts.next()).value as Buffer).length;
      await domain.wait((await remove('big.raw')).id, 'succeeded');
      expect(await names()).toEqual(['a.raw']);
      expect(bytes).toBeLessThan(MiB);
      for await (const part of parts) bytes += part.length;
      expect(bytes).toBe(3 * MiB);
      expect((await other.stat()).size).toBe(sizeBytes);
    } finally {
      await other.close();
    }
  });

  it('deletes the record of an image with a missing file', async () => {
    await unlink(path('a.raw'));
    await domain.rescan();
    await domain.wait((await remove('a.raw')).id, 'succeeded');
    await expect(domain.image('a.raw')).rejects.toThrow('no image');
  });
});

describe('a refused deletion', () => {
  it('refuses to delete an image in use, and names its users', async () => {
    const copy = await domain.copy('a.raw', 'b.raw', { bytesPerSecond: MiB });
    expect((await domain.image('a.raw')).usedBy).toEqual([
      { kind: 'operation', id: copy.id, name: 'copy_vm_image_100' },
    ]);
    await expect(remove('a.raw')).rejects.toMatchObject({
      code: 'image_in_use',
      message: 'In use by operation copy_vm_image_100.',
    });
    await domain.wait(copy.id, 'succeeded');
    expect((await domain.image('a.raw')).usedBy).toEqual([]);
    const { id } = await domain.image('a.raw');
    const web = { kind: 'vm' as const, id: 7, name: 'web', owner: admin.userId };
    domain.images.references.add(() => Promise.resolve(new Map([[id, [web]]])));
    await expect(remove('a.raw')).rejects.toMatchObject({ message: 'In use by machine web.' });
  });

  it('does not name users of an image that the principal may not see', async () => {
    const ann = makePrincipal('ann');
    await domain.wait((await domain.copy('a.raw', 'of-ann.raw', { principal: ann })).id, 'succeeded');
    const { id } = await domain.image('of-ann.raw');
    const copy = await domain.copy('of-ann.raw', 'b.raw', { bytesPerSecond: MiB });
    expect((await domain.images.get(ann, id)).usedBy).toEqual([]);
    const [listed] = (await domain.images.list(ann, { limit: 200 })).items.filter((image) => image.id === id);
    expect(listed?.usedBy).toEqual([]);
    expect((await domain.images.get(admin, id)).usedBy).toMatchObject([{ id: copy.id }]);
    await expect(domain.images.remove(ann, { id, idempotencyKey: null })).rejects.toMatchObject({
      code: 'image_in_use',
      message: 'In use by something of another user.',
    });
    await domain.wait(copy.id, 'succeeded');
  });

  it('refuses to delete a template until its mark is cleared', async () => {
    const { id } = await domain.image('a.raw');
    expect(await domain.images.change(admin, id, { template: true })).toMatchObject({ template: true });
    await expect(remove('a.raw')).rejects.toMatchObject({ code: 'image_protected' });
    await domain.images.change(admin, id, { template: false });
    await domain.wait((await remove('a.raw')).id, 'succeeded');
  });

  it('refuses to delete the image of another user', async () => {
    const [ann, bob] = [makePrincipal('ann'), makePrincipal('bob')];
    const copy = await domain.copy('a.raw', 'of-ann.raw', { principal: ann });
    await domain.wait(copy.id, 'succeeded');
    for (const name of ['a.raw', 'of-ann.raw'])
      await expect(remove(name, bob)).rejects.toMatchObject({ code: 'forbidden' });
    const { id } = await domain.image('of-ann.raw');
    await expect(domain.images.change(bob, id, { template: true })).rejects.toMatchObject({
      code: 'forbidden',
    });
    await domain.wait((await remove('of-ann.raw', ann)).id, 'succeeded');
  });

  it('refuses to delete a replaced file and an entry that is not a file', async () => {
    await writeFile(path('other'), 'not the image');
    await rename(path('other'), path('a.raw'));
    await expect(remove('a.raw')).rejects.toMatchObject({ code: 'image_unavailable' });
    await symlink('/etc/hostname', path('link.raw'));
    await domain.rescan();
    await expect(remove('link.raw')).rejects.toMatchObject({ code: 'image_unavailable' });
    expect(await names()).toEqual(['a.raw', 'link.raw']);
  });
});

describe('a deletion after a kill of the server', () => {
  /** Brings disk and store into the state that a process killed during a deletion leaves. */
  async function killIn(work: (hidden: string) => Promise<void>, state = 'running'): Promise<string> {
    const original = await domain.image('a.raw');
    const accepted = await remove('a.raw');
    await domain.wait(accepted.id, 'succeeded');
    const { db } = domain.store;
    const row = await db
      .selectFrom('operations')
      .selectAll()
      .where('id', '=', accepted.id)
      .executeTakeFirstOrThrow();
    const record = { ...(JSON.parse(row.record) as Snapshot), state, endedAt: null, result: null };
    await writeRandom(path('a.raw'), 4 * MiB);
    const { ino, mtimeNs } = await stat(path('a.raw'), { bigint: true });
    const input = JSON.parse(row.input) as { file: { inode: string } };
    input.file.inode = String(ino);
    const { id, name, sizeBytes, createdAt } = original;
    const image = {
      id,
      name,
      sizeBytes,
      createdAt,
      poolId: domain.poolId(),
      format: 'raw',
      state: 'ready',
    } as const;
    const rest = {
      virtualSizeBytes: sizeBytes,
      dataBytes: sizeBytes,
      stateReason: null,
      owner: null,
      copiedFrom: null,
    };
    await domain.store.write([
      {
        query: db
          .updateTable('operations')
          .set({ state, endedAt: null, record: JSON.stringify(record), input: JSON.stringify(input) })
          .where('id', '=', accepted.id),
        expectRows: 1,
      },
      { query: db.deleteFrom('images') },
      {
        query: db
          .insertInto('images')
          .values({ ...image, ...rest, inode: String(ino), mtimeNs: String(mtimeNs) }),
      },
      {
        query: db
          .insertInto('nameReservations')
          .values({ poolId: domain.poolId(), name, operationId: accepted.id }),
      },
    ]);
    await work(path(`.wcc-${accepted.id}.partial`));
    await domain.stop();
    domain = await startDomain({ home: domain.home });
    return accepted.id;
  }
  const expectGone = async (id: string): Promise<void> => {
    await domain.wait(id, 'succeeded');
    expect(await names()).toEqual([]);
    expect(await domain.litter()).toEqual([]);
    await expect(domain.image('a.raw')).rejects.toThrow('no image');
  };

  it('a killed deletion completes after a kill at any step', async () => {
    await expectGone(await killIn(() => Promise.resolve()));
  });
  it('a killed deletion completes after the name of the file was removed', async () => {
    await expectGone(await killIn((hidden) => rename(path('a.raw'), hidden)));
  });
  it('a cancelled deletion completes if it had started to free blocks', async () => {
    const half = async (hidden: string): Promise<void> => {
      await rename(path('a.raw'), hidden);
      await truncate(hidden, MiB);
    };
    await expectGone(await killIn(half, 'cancelling'));
  });
  it('a killed deletion deletes the record when only the record is left', async () => {
    await expectGone(await killIn(() => unlink(path('a.raw'))));
  });
  it('a cancelled deletion restores the name while the file is complete', async () => {
    const id = await killIn((hidden) => rename(path('a.raw'), hidden), 'cancelling');
    await domain.wait(id, 'cancelled');
    expect((await stat(path('a.raw'))).size).toBe(4 * MiB);
    expect(await domain.litter()).toEqual([]);
    expect(await domain.image('a.raw')).toMatchObject({ state: 'ready', usedBy: [] });
  });
  it.each(['interrupted', 'cancelling'])(
    'D3: a deletion that was %s after it hid another file gives that its name back',
    async (state) => {
      for (const content of ['another file', 'x'.repeat(4 * MiB)]) {
        const id = await killIn(async (hidden) => {
          await rename(path('a.raw'), join(domain.home, 'away'));
          await writeFile(hidden, content);
        }, state);
        await domain.wait(id, 'failed', 'cancelled');
        expect((await stat(path('a.raw'))).size).toBe(content.length);
        expect(await domain.litter()).toEqual([]);
        await domain.close();
        domain = await startDomain({ maxRunningPerPool: 1 });
        await writeRandom(path('a.raw'), 4 * MiB);
        await domain.rescan();
      }
    },
  );
  it('a killed deletion does not touch another file with the same name', async () => {
    const swap = async (): Promise<void> => {
      await rename(path('a.raw'), join(domain.home, 'away'));
      await writeFile(path('a.raw'), 'another file');
    };
    await domain.wait(await killIn(swap), 'succeeded');
    expect(await names()).toEqual(['a.raw']);
  });
});
