import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bootSectorSays } from '../images/sample/boot-sector.ts';
import { waitUntil } from './hypervisor/wait.testkit.ts';
import { admin, makePrincipal, MiB, startMachines, writeBootable } from './machines.testkit.ts';
import type { MachinesUnderTest } from './machines.testkit.ts';

let ground: MachinesUnderTest;
let image: number;
beforeEach(async () => {
  ground = await startMachines();
  await writeBootable(join(ground.poolDir, 'template.raw'));
  await ground.rescan();
  image = (await ground.image('template.raw')).id;
});
afterEach(async () => {
  await ground.close();
});

async function made(name: string, start = false): Promise<number> {
  await ground.make({ name, disks: [{ kind: 'copy', image }], start });
  return (await ground.vm(name)).id ?? 0;
}

async function becomes(name: string, state: string): Promise<void> {
  await waitUntil(`${name} to be ${state}`, async () => (await ground.vm(name)).state === state);
}

async function removed(id: number, disks: boolean): Promise<void> {
  const { id: operation } = await ground.machines.remove(admin, id, { disks });
  await ground.wait(operation, 'succeeded');
}

describe('the life of a machine', () => {
  it('starts, shuts down by its power button, and is reset and powered off', async () => {
    const id = await made('web');
    expect((await ground.machines.order(admin, id, 'start')).state).toBe('running');
    await waitUntil('the guest to be ready', async () =>
      (await ground.machines.serial(admin, id)).includes(bootSectorSays.ready),
    );
    expect((await ground.machines.screenshot(admin, id)).subarray(1, 4).toString()).toBe('PNG');
    await ground.machines.order(admin, id, 'reset');
    await waitUntil('the guest to greet twice', async () => {
      const log = (await ground.machines.serial(admin, id)).toString();
      return log.split(bootSectorSays.ready).length > 2;
    });
    await ground.machines.order(admin, id, 'shutdown');
    await becomes('web', 'shut_off');
    expect((await ground.machines.serial(admin, id)).includes(bootSectorSays.bye)).toBe(true);
    await ground.machines.order(admin, id, 'start');
    expect((await ground.machines.order(admin, id, 'power-off')).state).toBe('shut_off');
    await expect(ground.machines.order(admin, id, 'shutdown')).rejects.toMatchObject({
      code: 'vm_not_running',
    });
  });

  it('is changed while it is off, and not while it runs', async () => {
    const id = await made('web');
    const changes = { name: 'api', cpus: 2, memoryBytes: 48 * MiB, bootOrder: ['cdrom', 'disk'] as const };
    const changed = await ground.machines.change(admin, id, {
      ...changes,
      bootOrder: [...changes.bootOrder],
    });
    expect(changed).toMatchObject(changes);
    expect(await ground.hypervisor.status(changed.uuid)).toMatchObject({
      name: 'api',
      memoryBytes: 48 * MiB,
    });
    await ground.machines.order(admin, id, 'start');
    await expect(ground.machines.change(admin, id, { cpus: 1 })).rejects.toMatchObject({
      code: 'vm_running',
    });
    await made('web');
    await expect(ground.machines.change(admin, id, { name: 'web' })).rejects.toMatchObject({
      code: 'vm_running',
    });
  });

  it('gets further disks, which grow and never shrink', async () => {
    const id = await made('web');
    const body = { kind: 'blank' as const, sizeBytes: 2 * MiB, format: 'qcow2' as const };
    const { disks } = await ground.machines.addDisk(admin, id, body);
    expect(disks.map(({ name }) => name)).toEqual(['web-disk0.raw', 'web-disk1.qcow2']);
    await ground.machines.growDisk(admin, id, { index: 0, sizeBytes: 8 * MiB });
    const { disks: grown } = await ground.machines.growDisk(admin, id, { index: 1, sizeBytes: 3 * MiB });
    expect(grown.map(({ sizeBytes }) => sizeBytes)).toEqual([8 * MiB, 3 * MiB]);
    const smaller = { index: 0, sizeBytes: 4 * MiB };
    await expect(ground.machines.growDisk(admin, id, smaller)).rejects.toMatchObject({
      code: 'invalid_input',
    });
    await ground.machines.order(admin, id, 'start');
    await waitUntil('it to boot with both', async () =>
      (await ground.machines.serial(admin, id)).includes(bootSectorSays.ready),
    );
    expect(await ground.image('web-disk1.qcow2')).toMatchObject({
      virtualSizeBytes: 3 * MiB,
      usedBy: [{ kind: 'vm', id, name: 'web' }],
    });
  });

  it('is copied while it is off: disks, but nothing of its identity', async () => {
    const id = await made('web');
    const order = { principal: admin, id, body: { name: 'twin' }, idempotencyKey: null };
    const ended = await ground.wait((await ground.machines.copy(order)).id, 'succeeded');
    expect(ended).toMatchObject({ label: `copy_vm_${id}`, target: { kind: 'vm', name: 'twin' } });
    const [original, twin] = [await ground.vm('web'), await ground.vm('twin')];
    expect(twin.disks).toMatchObject([{ name: 'twin-disk0.raw', sizeBytes: 4 * MiB }]);
    expect([twin.uuid, twin.macAddress]).not.toEqual([original.uuid, original.macAddress]);
    await ground.machines.order(admin, id, 'start');
    await expect(ground.machines.copy(order)).rejects.toMatchObject({ code: 'vm_running' });
  });
});

describe('a deletion', () => {
  it('takes a machine that runs with all it has', async () => {
    await removed(await made('web', true), true);
    expect(await ground.traces()).toEqual([]);
    expect(await ground.hypervisor.list()).toEqual([]);
    await made('web');
  });

  it('keeps the disks as images when asked', async () => {
    await removed(await made('web'), false);
    expect((await ground.machines.list(admin)).items).toEqual([]);
    expect(await ground.image('web-disk0.raw')).toMatchObject({ state: 'ready', usedBy: [] });
    const again = await made('web');
    const { disks } = await ground.vm('web');
    expect(disks[0]?.name).toBe(`web-${again}-disk0.raw`);
  });

  it('of the base of an overlay is refused by name', async () => {
    await ground.quick({ image, name: 'thin', memoryBytes: 32 * MiB, start: false });
    const thin = await ground.vm('thin');
    expect(await ground.image('template.raw')).toMatchObject({
      usedBy: [{ kind: 'vm', id: thin.id, name: 'thin' }],
    });
    await removed(thin.id ?? 0, false);
    const overlay = await ground.image('thin-disk0.qcow2');
    expect(await ground.image('template.raw')).toMatchObject({
      usedBy: [{ kind: 'image', id: overlay.id, name: 'thin-disk0.qcow2' }],
    });
  });

  it('leaves a file that stands where a disk was', async () => {
    const id = await made('web');
    const path = join(ground.poolDir, 'web-disk0.raw');
    renameSync(path, `${ground.home}/moved.raw`);
    writeFileSync(path, 'of somebody else');
    await removed(id, true);
    expect(existsSync(path)).toBe(true);
  });
});

describe('who has no right on a machine', () => {
  it('neither sees it nor anything of it', async () => {
    const id = await made('web', true);
    const [other, viewer] = [makePrincipal('other'), makePrincipal('eve', 'viewer')];
    expect((await ground.machines.list(other)).items).toEqual([]);
    const asks = [
      () => ground.machines.get(other, id),
      () => ground.machines.serial(other, id),
      () => ground.machines.screenshot(other, id),
      () => ground.machines.screen(other, id),
      () => ground.machines.order(other, id, 'power-off'),
      () => ground.machines.remove(other, id, { disks: true }),
      () => ground.machines.change(other, id, { cpus: 1 }),
      () => ground.machines.copy({ principal: other, id, body: { name: 'x' }, idempotencyKey: null }),
      () => ground.machines.get(viewer, id),
      () => ground.machines.get(other, 4711),
    ];
    for (const ask of asks) await expect(ask()).rejects.toMatchObject({ code: 'not_found' });
    expect((await ground.vm('web')).state).toBe('running');
  });
});
