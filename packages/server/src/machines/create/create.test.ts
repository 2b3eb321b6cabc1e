import { execFile } from 'node:child_process';
import { readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFirstBootProfiles } from '../../access/first-boot-profiles.ts';
import { bootSectorTexts } from '../../images/sample/boot-sector.ts';
import { waitUntil } from '../hypervisor/wait.testkit.ts';
import { bootableIso } from '../seed/iso.testkit.ts';
import { admin, makePrincipal, MiB, sha256, startMachines, writeBootable } from '../machines.testkit.ts';
import type { MachinesUnderTest } from '../machines.testkit.ts';

const run = promisify(execFile);

let vms: MachinesUnderTest;
beforeEach(async () => {
  vms = await startMachines();
});
afterEach(async () => {
  await vms.close();
});

async function template(name = 'template.raw', sizeBytes = 4 * MiB): Promise<number> {
  await writeBootable(join(vms.poolDir, name), sizeBytes);
  await vms.rescan();
  return (await vms.image(name)).id;
}

async function qcow2Template(): Promise<number> {
  const raw = join(vms.poolDir, '.raw');
  await writeBootable(raw);
  const args = ['convert', '-f', 'raw', '-O', 'qcow2', raw, join(vms.poolDir, 'template.qcow2')];
  await run('/usr/bin/qemu-img', args);
  await rm(raw);
  await vms.rescan();
  return (await vms.image('template.qcow2')).id;
}

async function waitForSerial(name: string, text: string): Promise<void> {
  const { id } = await vms.vm(name);
  await waitUntil(`${name} to print "${text}"`, async () =>
    (await vms.machines.serial(admin, id ?? 0)).includes(text),
  );
}

describe('create_vm', () => {
  it('create_vm creates a machine from a copied disk and boots it', async () => {
    const image = await template();
    const ended = await vms.create({
      name: 'web',
      disks: [{ kind: 'copy', image }],
      start: true,
      firstBoot: { sshKeys: ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 me'] },
    });
    expect(ended).toMatchObject({ label: 'create_vm_100', subject: { kind: 'vm', id: 100, name: 'web' } });
    expect(ended.phases.map(({ name, state }) => `${name} ${state}`)).toEqual([
      'check done',
      'disk_1 done',
      'seed done',
      'define done',
      'start done',
    ]);
    expect(ended.result).toEqual({ kind: 'vm', id: 100 });
    await waitForSerial('web', bootSectorTexts.ready);
    const vm = await vms.vm('web');
    expect(vm).toMatchObject({ id: 100, state: 'running', cpus: 1, owner: admin.userId, foreign: false });
    expect(vm.disks).toMatchObject([{ index: 0, name: 'web-disk0.raw', format: 'raw', sizeBytes: 4 * MiB }]);
    expect(await vms.image('web-disk0.raw')).toMatchObject({ state: 'ready', copiedFrom: image });
    expect(await vms.litter()).toEqual([]);
    expect((await vms.rescan()).added).toBe(0);
  });

  it('create_vm grows a qcow2 template and adds blank disks', async () => {
    const image = await qcow2Template();
    await vms.create({
      name: 'many',
      disks: [
        { kind: 'copy', image, sizeBytes: 8 * MiB },
        { kind: 'blank', sizeBytes: 2 * MiB, format: 'raw' },
        { kind: 'blank', sizeBytes: 3 * MiB },
      ],
      start: true,
    });
    await waitForSerial('many', bootSectorTexts.ready);
    const { disks } = await vms.vm('many');
    expect(disks.map(({ name, sizeBytes }) => `${name} ${sizeBytes / MiB}`)).toEqual([
      'many-disk0.qcow2 8',
      'many-disk1.raw 2',
      'many-disk2.qcow2 3',
    ]);
    for (const { name } of disks) {
      expect((await stat(join(vms.poolDir, name))).mode & 0o777).toBe(0o600);
      expect((await vms.image(name)).state).toBe('ready');
    }
  });

  it('create_vm boots from an ISO in the drive, and setCdrom ejects the ISO', async () => {
    await writeFile(join(vms.poolDir, 'boot.iso'), bootableIso());
    await vms.rescan();
    const { id } = await vms.image('boot.iso');
    await vms.create({
      name: 'installer',
      disks: [
        { kind: 'cdrom', image: id },
        { kind: 'blank', sizeBytes: MiB },
      ],
      start: true,
    });
    await waitForSerial('installer', bootSectorTexts.hello);
    const vm = await vms.vm('installer');
    expect(vm.cdrom).toEqual({ image: id, name: 'boot.iso' });
    const ejected = await vms.machines.setCdrom(admin, vm.id ?? 0, { image: null });
    expect(ejected).toMatchObject({ cdrom: null, state: 'running' });
  });
});

describe('quick_create_vm', () => {
  it('quick_create_vm starts from an overlay of the requested size and does not change the base', async () => {
    const image = await template('base.raw', 64 * MiB);
    const before = await sha256(join(vms.poolDir, 'base.raw'));
    await vms.quickCreate({ image, name: 'thin', sizeBytes: 128 * MiB, memoryBytes: 32 * MiB });
    await waitForSerial('thin', bootSectorTexts.written);
    const [disk] = (await vms.vm('thin')).disks;
    expect(disk).toMatchObject({ name: 'thin-disk0.qcow2', base: image, sizeBytes: 128 * MiB });
    expect((await stat(join(vms.poolDir, 'thin-disk0.qcow2'))).blocks * 512).toBeLessThan(2 * MiB);
    expect(await sha256(join(vms.poolDir, 'base.raw'))).toBe(before);
  });

  it('quick_create_vm creates a full copy when requested', async () => {
    const image = await template();
    await vms.quickCreate({ image, name: 'whole', full: true, memoryBytes: 32 * MiB, start: false });
    const { disks, state } = await vms.vm('whole');
    expect(disks).toMatchObject([{ name: 'whole-disk0.raw', base: null }]);
    expect(state).toBe('shut_off');
  });

  it("quick_create_vm writes the SSH keys of the user's profile into the seed", async () => {
    const image = await template();
    const sato = makePrincipal('sato');
    const profiles = createFirstBootProfiles(vms.store);
    const profile = { user: 'sato', sshKeys: ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 sato@home'] };
    await profiles.change(sato, profile);
    expect(await profiles.read(sato)).toEqual(profile);
    await vms.quickCreate({ image, name: 'keyed', memoryBytes: 32 * MiB, start: false }, sato);
    const { uuid } = await vms.vm('keyed');
    const seed = join(vms.home, 'seeds', `${uuid}.iso`);
    expect((await stat(seed)).mode & 0o777).toBe(0o600);
    const { stdout } = await run('grep', ['-c', '--text', 'sato@home', seed]);
    expect(Number(stdout)).toBe(1);
  });
});

describe('a refused create_vm', () => {
  const minimal = { name: 'web', disks: [] };

  it.each([
    ['a taken name', { name: 'taken' }, 'vm_name_taken'],
    ['an unknown network', { network: { kind: 'bridge' as const, name: 'nowhere0' } }, 'unknown_network'],
    ['more memory than the host has', { memoryBytes: 2 ** 44 }, 'not_enough_memory'],
    ['more CPUs than the host has', { cpus: 255 }, 'invalid_input'],
    ['V7: user-data for Ignition', { firstBoot: { userData: '{"ignition": {}}' } }, 'user_data_ignition'],
    ['V7: user-data without a header', { firstBoot: { userData: 'users: []' } }, 'user_data_unknown'],
    ['a missing image', { disks: [{ kind: 'copy' as const, image: 4711 }] }, 'not_found'],
    ['a disk image in the drive', { disks: [{ kind: 'cdrom' as const, image: 100 }] }, 'invalid_input'],
    [
      'a disk smaller than its image',
      { disks: [{ kind: 'copy' as const, image: 100, sizeBytes: MiB }] },
      'invalid_input',
    ],
  ])('create_vm refused for %s leaves no files and no rows', async (_what, changes, code) => {
    expect(await template()).toBe(100);
    await vms.create({ name: 'taken' });
    const before = await vms.traces();
    await expect(vms.request({ ...minimal, ...changes })).rejects.toMatchObject({ code });
    expect(await vms.traces()).toEqual(before);
  });

  it('create_vm refused for an unavailable pool leaves no files and no rows', async () => {
    const image = await template();
    const marker = join(vms.poolDir, '.wcc-pool');
    await rename(marker, `${vms.home}/away`);
    await expect(vms.request({ disks: [{ kind: 'copy', image }] })).rejects.toMatchObject({
      code: 'pool_unavailable',
    });
    await rename(`${vms.home}/away`, marker);
    expect(await vms.traces()).toEqual([]);
  });

  it('create_vm accepts only one of two concurrent requests for the same name', async () => {
    const both = await Promise.allSettled([vms.request(minimal), vms.request(minimal)]);
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  });
});

describe('host without QEMU', () => {
  it('create_vm without QEMU names the packages to install, and image copies still work', async () => {
    await vms.close();
    const missing = { code: 'packages_missing' as const, packages: ['qemu-system-x86', 'qemu-utils'] };
    vms = await startMachines({
      wrapHypervisor: (hypervisor) =>
        new Proxy(hypervisor, {
          get: (target, name) =>
            name === 'probe'
              ? async () => ({ ...(await target.probe()), acceleration: null, missing })
              : (Reflect.get(target, name) as unknown),
        }),
    });
    const image = await template();
    const request = vms.request({ disks: [{ kind: 'copy', image }] });
    await expect(request).rejects.toMatchObject({
      code: 'hypervisor_missing',
      message: expect.stringContaining('qemu-system-x86 qemu-utils') as string,
    });
    expect((await vms.machines.host(admin)).hypervisor).toMatchObject({ driver: null, missing });
    expect((await vms.machines.list(admin)).items).toEqual([]);
    await vms.wait((await vms.copy('template.raw', 'copied.raw')).id, 'succeeded');
  });
});

describe('first-boot secrets', () => {
  const passwordHash = '$6$rounds=4096$saltsaltsalt$hashhashhashhashhash';
  const userData = '#!/bin/sh\necho a-very-secret-word\n';

  it('first-boot secrets are in the seed only, not in rows or other files', async () => {
    const ended = await vms.create({ name: 'secret', firstBoot: { user: 'me', passwordHash, userData } });
    const { uuid } = await vms.vm('secret');
    const found = await run('grep', ['-rl', '--text', 'hashhashhashhash', vms.home]).catch(() => null);
    // The seed contains the hash in base64, and the store does not contain the hash.
    expect(found?.stdout ?? '').toBe('');
    const { store } = vms;
    expect(await store.db.selectFrom('operationSecrets').selectAll().execute()).toEqual([]);
    expect(JSON.stringify(await store.db.selectFrom('operations').selectAll().execute())).not.toContain(
      'hashhash',
    );
    expect(await readdir(join(vms.home, 'seeds'))).toEqual([`${uuid}.iso`]);
    expect(JSON.stringify(ended)).not.toContain('secret-word');
  });
});
