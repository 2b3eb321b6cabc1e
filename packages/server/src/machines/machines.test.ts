import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import type { Snapshot } from '@wcc/progress';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bootSectorTexts } from '../images/sample/boot-sector.ts';
import { waitUntil } from './hypervisor/wait.testkit.ts';
import { admin, makePrincipal, MiB, startMachines, writeBootable } from './machines.testkit.ts';
import type { MachinesUnderTest } from './machines.testkit.ts';

let vms: MachinesUnderTest;
let image: number;
beforeEach(async () => {
  vms = await startMachines();
  await writeBootable(join(vms.poolDir, 'template.raw'));
  await vms.rescan();
  image = (await vms.image('template.raw')).id;
});
afterEach(async () => {
  await vms.close();
});

async function createVm(name: string, start = false): Promise<number> {
  await vms.create({ name, disks: [{ kind: 'copy', image }], start });
  return (await vms.vm(name)).id ?? 0;
}

async function waitForState(name: string, state: string): Promise<void> {
  await waitUntil(`${name} to be ${state}`, async () => (await vms.vm(name)).state === state);
}

async function removeVm(id: number, disks: boolean): Promise<void> {
  const { id: operation } = await vms.machines.remove(admin, id, { disks });
  await vms.wait(operation, 'succeeded');
}

describe('machine', () => {
  it('a machine starts, shuts down by the power button, resets and powers off', async () => {
    const id = await createVm('web');
    expect((await vms.machines.control(admin, id, 'start')).state).toBe('running');
    await waitUntil('the guest to be ready', async () =>
      (await vms.machines.serial(admin, id)).includes(bootSectorTexts.ready),
    );
    expect((await vms.machines.screenshot(admin, id)).subarray(1, 4).toString()).toBe('PNG');
    await vms.machines.control(admin, id, 'reset');
    await waitUntil('the guest to greet twice', async () => {
      const log = (await vms.machines.serial(admin, id)).toString();
      return log.split(bootSectorTexts.ready).length > 2;
    });
    await vms.machines.control(admin, id, 'shutdown');
    await waitForState('web', 'shut_off');
    expect((await vms.machines.serial(admin, id)).includes(bootSectorTexts.bye)).toBe(true);
    await vms.machines.control(admin, id, 'start');
    expect((await vms.machines.control(admin, id, 'power-off')).state).toBe('shut_off');
    await expect(vms.machines.control(admin, id, 'shutdown')).rejects.toMatchObject({
      code: 'vm_not_running',
    });
  });

  it('settings change while the machine is off, and are refused while it runs', async () => {
    const id = await createVm('web');
    const changes = { name: 'api', cpus: 2, memoryBytes: 48 * MiB, bootOrder: ['cdrom', 'disk'] as const };
    const changed = await vms.machines.change(admin, id, {
      ...changes,
      bootOrder: [...changes.bootOrder],
    });
    expect(changed).toMatchObject(changes);
    expect(await vms.hypervisor.status(changed.uuid)).toMatchObject({
      name: 'api',
      memoryBytes: 48 * MiB,
    });
    await vms.machines.control(admin, id, 'start');
    await expect(vms.machines.change(admin, id, { cpus: 1 })).rejects.toMatchObject({
      code: 'vm_running',
    });
    await createVm('web');
    await expect(vms.machines.change(admin, id, { name: 'web' })).rejects.toMatchObject({
      code: 'vm_running',
    });
  });

  it('V9: a copy has first-boot data of its own, or a warning where it or the original may lack some', async () => {
    const copyOf = async (name: string, copy: string): Promise<Snapshot> => {
      const id = (await vms.vm(name)).id ?? 0;
      const request = { principal: admin, id, body: { name: copy }, idempotencyKey: null };
      return vms.wait((await vms.machines.copy(request)).id, 'succeeded');
    };
    const seedOf = async (name: string): Promise<string> => {
      const { uuid } = await vms.vm(name);
      const { seed } = (await vms.hypervisor.spec(uuid)) ?? { seed: null };
      if (seed === null) return 'none';
      const text = await readFile(seed, 'latin1');
      expect(text).toContain(`"instance-id":"${uuid}"`);
      return /"local-hostname":"([^"]*)"/.exec(text)?.[1] ?? '';
    };
    await vms.create({ name: 'web', disks: [{ kind: 'copy', image }], firstBoot: { user: 'me' } });
    expect((await copyOf('web', 'twin_2')).warnings).toEqual(['first_boot_missing']);
    const twin = (await vms.vm('twin_2')).id ?? 0;
    await vms.machines.control(admin, twin, 'start');
    await waitUntil('the guest to print', async () => (await vms.machines.serial(admin, twin)).length > 0);
    await vms.machines.control(admin, twin, 'power-off');
    expect((await copyOf('twin_2', 'twin_3')).warnings).toEqual([]);
    await createVm('plain');
    expect((await copyOf('plain', 'plain_2')).warnings).toEqual(['same_identity']);
    expect(await Promise.all(['web', 'twin_2', 'twin_3', 'plain_2'].map(seedOf))).toEqual([
      'web',
      'twin-2',
      'twin-3',
      'none',
    ]);
  });

  it('V1: drives are on virtio-scsi, or on SATA where a request asks for it, and a copy keeps the bus', async () => {
    const busOf = async (name: string): Promise<unknown> => {
      const { uuid, cdBus } = await vms.vm(name);
      expect((await vms.hypervisor.spec(uuid))?.cdBus).toBe(cdBus);
      return cdBus;
    };
    const id = await createVm('web');
    expect(await busOf('web')).toBe('scsi');
    expect((await vms.machines.change(admin, id, { cdBus: 'sata' })).cdBus).toBe('sata');
    const copy = { principal: admin, id, body: { name: 'twin' }, idempotencyKey: null };
    await vms.wait((await vms.machines.copy(copy)).id, 'succeeded');
    const small = { image, start: false, memoryBytes: 32 * MiB };
    await vms.quickCreate({ ...small, name: 'quick' });
    await vms.quickCreate({ ...small, name: 'old', cdBus: 'sata' });
    expect(await Promise.all(['web', 'twin', 'quick', 'old'].map(busOf))).toEqual([
      'sata',
      'sata',
      'scsi',
      'sata',
    ]);
  });

  it('disks are added to a machine, grow and never shrink', async () => {
    const id = await createVm('web');
    const body = { kind: 'blank' as const, sizeBytes: 2 * MiB, format: 'qcow2' as const };
    const { disks } = await vms.machines.addDisk(admin, id, body);
    expect(disks.map(({ name }) => name)).toEqual(['web-disk0.raw', 'web-disk1.qcow2']);
    await vms.machines.growDisk(admin, id, { index: 0, sizeBytes: 8 * MiB });
    const { disks: grown } = await vms.machines.growDisk(admin, id, { index: 1, sizeBytes: 3 * MiB });
    expect(grown.map(({ sizeBytes }) => sizeBytes)).toEqual([8 * MiB, 3 * MiB]);
    const smaller = { index: 0, sizeBytes: 4 * MiB };
    await expect(vms.machines.growDisk(admin, id, smaller)).rejects.toMatchObject({
      code: 'invalid_input',
    });
    await vms.machines.control(admin, id, 'start');
    await waitUntil('it to boot with both', async () =>
      (await vms.machines.serial(admin, id)).includes(bootSectorTexts.ready),
    );
    expect(await vms.image('web-disk1.qcow2')).toMatchObject({
      virtualSizeBytes: 3 * MiB,
      usedBy: [{ kind: 'vm', id, name: 'web' }],
    });
  });

  it('copy_vm copies the disks but not the identity, and only while the machine is off', async () => {
    const id = await createVm('web');
    const request = { principal: admin, id, body: { name: 'twin' }, idempotencyKey: null };
    const ended = await vms.wait((await vms.machines.copy(request)).id, 'succeeded');
    expect(ended).toMatchObject({ label: `copy_vm_${id}`, target: { kind: 'vm', name: 'twin' } });
    const [original, twin] = [await vms.vm('web'), await vms.vm('twin')];
    expect(twin.disks).toMatchObject([{ name: 'twin-disk0.raw', sizeBytes: 4 * MiB }]);
    expect([twin.uuid, twin.macAddress]).not.toEqual([original.uuid, original.macAddress]);
    await vms.machines.control(admin, id, 'start');
    await expect(vms.machines.copy(request)).rejects.toMatchObject({ code: 'vm_running' });
  });
});

describe('delete_vm', () => {
  it('delete_vm removes a running machine with all its files and rows', async () => {
    await removeVm(await createVm('web', true), true);
    expect(await vms.traces()).toEqual([]);
    expect(await vms.hypervisor.list()).toEqual([]);
    await createVm('web');
  });

  it('delete_vm keeps the disks as images when requested', async () => {
    await removeVm(await createVm('web'), false);
    expect((await vms.machines.list(admin)).items).toEqual([]);
    expect(await vms.image('web-disk0.raw')).toMatchObject({ state: 'ready', usedBy: [] });
    const again = await createVm('web');
    const { disks } = await vms.vm('web');
    expect(disks[0]?.name).toBe(`web-${again}-disk0.raw`);
  });

  it('delete_vm that keeps an overlay leaves its base in use', async () => {
    await vms.quickCreate({ image, name: 'thin', memoryBytes: 32 * MiB, start: false });
    const thin = await vms.vm('thin');
    expect(await vms.image('template.raw')).toMatchObject({
      usedBy: [{ kind: 'vm', id: thin.id, name: 'thin' }],
    });
    await removeVm(thin.id ?? 0, false);
    const overlay = await vms.image('thin-disk0.qcow2');
    expect(await vms.image('template.raw')).toMatchObject({
      usedBy: [{ kind: 'image', id: overlay.id, name: 'thin-disk0.qcow2' }],
    });
  });

  it('D4: delete_vm waits for a pool that is gone, and then deletes the disks', async () => {
    const id = await createVm('web');
    const detached = join(vms.home, 'detached');
    renameSync(vms.poolDir, detached);
    mkdirSync(vms.poolDir);
    const { id: operation } = await vms.machines.remove(admin, id, { disks: true });
    expect((await vms.wait(operation, 'interrupted')).stateReason?.code).toBe('pool_unavailable');
    expect(readdirSync(vms.poolDir)).toEqual([]);
    rmdirSync(vms.poolDir);
    renameSync(detached, vms.poolDir);
    await vms.rescan();
    await vms.wait(operation, 'succeeded');
    expect(await vms.traces()).toEqual([]);
  });

  it('delete_vm keeps a foreign file that has replaced a disk', async () => {
    const id = await createVm('web');
    const path = join(vms.poolDir, 'web-disk0.raw');
    renameSync(path, `${vms.home}/moved.raw`);
    writeFileSync(path, 'foreign file');
    await removeVm(id, true);
    expect(existsSync(path)).toBe(true);
    // The file that stays has the owner and the privacy of the disk.
    await vms.rescan();
    expect(await vms.image('web-disk0.raw')).toMatchObject({ owner: admin.userId, private: true });
  });

  it('D21: delete_vm deletes a disk that came back from a backup as another file', async () => {
    const id = await createVm('web');
    const path = join(vms.poolDir, 'web-disk0.raw');
    // Both exist for a moment, so that the file system cannot give the inode again.
    copyFileSync(path, `${vms.poolDir}/.restored`);
    renameSync(`${vms.poolDir}/.restored`, path);
    await vms.rescan();
    await removeVm(id, true);
    expect(existsSync(path)).toBe(false);
    expect(await vms.traces()).toEqual([]);
    expect((await vms.rescan()).added).toBe(0);
  });
});

describe('user without rights on a machine', () => {
  it('a user without rights on a machine gets not_found from every call', async () => {
    const id = await createVm('web', true);
    const [other, viewer] = [makePrincipal('other'), makePrincipal('eve', 'viewer')];
    expect((await vms.machines.list(other)).items).toEqual([]);
    const asks = [
      () => vms.machines.get(other, id),
      () => vms.machines.serial(other, id),
      () => vms.machines.screenshot(other, id),
      () => vms.machines.screen(other, id),
      () => vms.machines.control(other, id, 'power-off'),
      () => vms.machines.remove(other, id, { disks: true }),
      () => vms.machines.change(other, id, { cpus: 1 }),
      () => vms.machines.copy({ principal: other, id, body: { name: 'x' }, idempotencyKey: null }),
      () => vms.machines.get(viewer, id),
      () => vms.machines.get(other, 4711),
    ];
    for (const ask of asks) await expect(ask()).rejects.toMatchObject({ code: 'not_found' });
    expect((await vms.vm('web')).state).toBe('running');
  });
});
