import { convertImageRequest, copyImageRequest } from '@wcc/api';
import Libsql from 'libsql';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Principal } from '../access/principal.ts';
import { migrations } from '../storage/migrations.ts';
import { admin, makePrincipal, MiB, startMachines, writeBootable } from './machines.testkit.ts';
import type { MachinesUnderTest } from './machines.testkit.ts';

// Real machines run on a host that may be busy.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const [ann, bob, eve] = [makePrincipal('ann'), makePrincipal('bob'), makePrincipal('eve', 'viewer')];
const key = { idempotencyKey: null };
let vms: MachinesUnderTest;
let template: number;
beforeEach(async () => {
  vms = await startMachines();
  await writeBootable(join(vms.poolDir, 'template.raw'));
  await vms.rescan();
  template = (await vms.image('template.raw')).id;
});
afterEach(async () => {
  await vms.close();
});

/** The image that is left of the disk of Ann's machine. */
async function keepDisk(name = 'web'): Promise<number> {
  const disks = [{ kind: 'copy' as const, image: template }];
  await vms.create({ name, disks }, ann);
  const id = (await vms.vm(name)).id ?? 0;
  await vms.wait((await vms.machines.remove(ann, id, { disks: false })).id, 'succeeded');
  return (await vms.image(`${name}-disk0.raw`)).id;
}

async function seenBy(principal: Principal): Promise<number[]> {
  return (await vms.images.list(principal, { limit: 200 })).items.map(({ id }) => id);
}

describe('SM11: a disk that outlives its machine', () => {
  it('SM11: a kept disk stays private to its owner at every call', async () => {
    const id = await keepDisk();
    const name = 'stolen.raw';
    for (const other of [bob, eve]) {
      expect(await seenBy(other)).not.toContain(id);
      const copy = copyImageRequest.parse({ name });
      const convert = convertImageRequest.parse({ name: 'stolen.qcow2', format: 'qcow2' });
      const asks = [
        () => vms.images.get(other, id),
        () => vms.images.plan(other, { id, name }),
        () => vms.images.open(other, id),
        () => vms.images.change(other, id, { private: false }),
        () => vms.images.copy(other, { id, body: copy, ...key }),
        () => vms.images.convert(other, { id, body: convert, ...key }),
        () => vms.images.verify(other, { id, body: {}, ...key }),
        () => vms.images.remove(other, { id, ...key }),
      ];
      for (const ask of asks)
        await expect(ask()).rejects.toMatchObject({
          code: expect.stringMatching(/^(not_found|forbidden)$/) as string,
        });
    }
    await expect(
      vms.request({ name: 'of-bob', disks: [{ kind: 'copy', image: id }] }, bob),
    ).rejects.toMatchObject({ code: 'not_found' });
    expect(await vms.images.get(ann, id)).toMatchObject({ private: true });
    expect(await seenBy(admin)).toContain(id);
  });

  it('SM11: copies and conversions of a private image are private', async () => {
    const id = await keepDisk();
    const body = copyImageRequest.parse({ name: 'copy.raw', method: 'copy' });
    await vms.wait((await vms.images.copy(ann, { id, body, ...key })).id, 'succeeded');
    const convert = convertImageRequest.parse({ name: 'other.qcow2', format: 'qcow2' });
    await vms.wait((await vms.images.convert(ann, { id, body: convert, ...key })).id, 'succeeded');
    for (const name of ['copy.raw', 'other.qcow2']) {
      const copy = await vms.image(name);
      expect([name, copy.private]).toEqual([name, true]);
      expect(await seenBy(bob)).not.toContain(copy.id);
    }
  });

  it('SM11: the owner publishes a kept disk; another user cannot, nor while a machine has it', async () => {
    const id = await keepDisk();
    await vms.create({ name: 'two', disks: [{ kind: 'copy', image: template }] }, ann);
    const attached = (await vms.image('two-disk0.raw')).id;
    await expect(vms.images.change(ann, attached, { private: false })).rejects.toMatchObject({
      code: 'image_in_use',
    });
    expect(await vms.images.change(ann, id, { private: false })).toMatchObject({ private: false });
    expect(await seenBy(bob)).toContain(id);
    const rows = await vms.store.db.selectFrom('audit').select(['what', 'subject']).execute();
    expect(rows).toContainEqual({ what: 'image.publish', subject: `image:${id}` });
  });

  it('SM11: other users of a base do not read the name of a private overlay', async () => {
    await vms.quickCreate({ image: template, name: 'thin', memoryBytes: 32 * MiB, start: false }, ann);
    const { id } = await vms.vm('thin');
    await vms.wait((await vms.machines.remove(ann, id ?? 0, { disks: false })).id, 'succeeded');
    expect((await vms.images.get(ann, template)).usedBy).toMatchObject([{ name: 'thin-disk0.qcow2' }]);
    expect((await vms.images.get(bob, template)).usedBy).toEqual([]);
  });

  it('SM11: disks that 0.1.0 kept are private after the migration, and other images are not', async () => {
    const kept = await keepDisk();
    await vms.create({ name: 'two', disks: [{ kind: 'copy', image: template }] }, ann);
    const attached = (await vms.image('two-disk0.raw')).id;
    await vms.stop();
    const raw = new Libsql(join(vms.home, 'wcc.sqlite'));
    // An index of a later step.
    raw.exec('drop index imagesByPrivacy; alter table images drop column private');
    const step = migrations.find(({ name }) => name.endsWith('-private-images'));
    for (const statement of step?.statements ?? []) raw.exec(statement);
    raw.close();
    vms = await startMachines({ home: vms.home });
    const { items } = await vms.images.list(admin, { limit: 200 });
    expect(items.filter((image) => image.private).map(({ id }) => id)).toEqual([kept, attached]);
    expect(await seenBy(bob)).toEqual([template]);
  });
});
