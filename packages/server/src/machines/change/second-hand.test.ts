import { readdirSync } from 'node:fs';
import { execFile } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { convertImageRequest, copyImageRequest } from '@wcc/api';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { bootableIso } from '../seed/iso.testkit.ts';
import type { Hypervisor, MachineStatus, SettingDifference } from '../hypervisor.ts';
import { admin, makePrincipal, MiB, startMachines, writeBootable } from '../machines.testkit.ts';
import { HypervisorError } from '../hypervisor/hypervisor-error.ts';
import type { MachinesUnderTest } from '../machines.testkit.ts';

const run = promisify(execFile);

/** What another program has done, as the driver of libvirt reports it. The machines run with QEMU alone. */
let outside: Partial<MachineStatus> = {};
/** What it does after the next look at the machine. */
let late: Partial<MachineStatus> | null = null;
/** Whether the hypervisor gives no answer. */
let silent = false;
let vms: MachinesUnderTest;
let id: number;

const changed = (one: MachineStatus): MachineStatus => ({ ...one, ...outside });
const withSecondHand = (real: Hypervisor): Hypervisor => ({
  ...real,
  list: async () => (await real.list()).map(changed),
  async status(uuid) {
    if (silent) throw new HypervisorError('unavailable');
    const status = await real.status(uuid);
    const seen = status && changed(status);
    [outside, late] = [late ?? outside, null];
    return seen;
  },
});

beforeEach(async () => {
  outside = {};
  vms = await startMachines({ wrapHypervisor: withSecondHand });
  await writeBootable(join(vms.poolDir, 'template.raw'));
  await vms.rescan();
  const image = (await vms.image('template.raw')).id;
  await vms.create({ name: 'web', disks: [{ kind: 'copy', image }], start: false });
  id = (await vms.vm('web')).id ?? 0;
});
afterEach(async () => {
  await vms.close();
});

const snapshot: SettingDifference = {
  setting: 'disks',
  written: 'vda /pool/web-disk0.raw (raw)',
  found: 'vda /pool/web-disk0.s1 (qcow2)',
  adopt: null,
};
const moreCpus: SettingDifference = { setting: 'cpus', written: '1', found: '2', adopt: { cpus: 2 } };

it('V2: an external snapshot is shown, and wcc neither copies, extends nor deletes the disks below it', async () => {
  outside = { differences: [snapshot] };
  const vm = await vms.machines.get(admin, id);
  expect(vm.changedOutside).toEqual([
    { setting: 'disks', wcc: snapshot.written, hypervisor: snapshot.found, canAdopt: false },
  ]);
  expect(vm.may).toMatchObject({ start: true, edit: false, cdrom: false, copy: false, adopt: false });
  const files = readdirSync(vms.poolDir).toSorted();
  const refused = { code: 'vm_changed_outside', hint: expect.stringContaining('blockcommit') as string };
  const copy = { principal: admin, id, body: { name: 'two' }, idempotencyKey: null };
  await expect(vms.machines.copy(copy)).rejects.toMatchObject(refused);
  const disk = { kind: 'blank', sizeBytes: MiB, format: 'raw' } as const;
  await expect(vms.machines.addDisk(admin, id, disk)).rejects.toMatchObject(refused);
  await expect(vms.machines.remove(admin, id, { disks: true })).rejects.toMatchObject(refused);
  await expect(vms.machines.control(admin, id, 'adopt')).rejects.toMatchObject(refused);
  expect(readdirSync(vms.poolDir).toSorted()).toEqual(files);
  const { id: operation } = await vms.machines.remove(admin, id, { disks: false });
  await vms.wait(operation, 'succeeded');
  expect(readdirSync(vms.poolDir)).toContain('web-disk0.raw');
});

it('V2: a disk below an external snapshot is neither read nor shown as whole', async () => {
  const { id: disk } = await vms.image('web-disk0.raw');
  await (await vms.images.open(admin, disk)).file.close();
  outside = { differences: [snapshot] };
  const refused = { code: 'vm_changed_outside', message: expect.stringContaining('disks:') as string };
  await expect(vms.images.open(admin, disk)).rejects.toMatchObject(refused);
  const image = { id: disk, idempotencyKey: null };
  const copied = copyImageRequest.parse({ name: 'copy.raw' });
  await expect(vms.images.copy(admin, { ...image, body: copied })).rejects.toMatchObject(refused);
  const converted = convertImageRequest.parse({ name: 'copy.qcow2', format: 'qcow2' });
  await expect(vms.images.convert(admin, { ...image, body: converted })).rejects.toMatchObject(refused);
  const thin = { image: disk, name: 'two', memoryBytes: 32 * MiB };
  await expect(vms.quickCreate({ ...thin, full: true })).rejects.toMatchObject(refused);
});

it('V2: a deletion with disks is refused while the hypervisor does not answer, and when a snapshot comes late', async () => {
  silent = true;
  const refused = { code: 'hypervisor_unavailable' };
  await expect(vms.machines.remove(admin, id, { disks: true })).rejects.toMatchObject(refused);
  silent = false;
  late = { differences: [snapshot] };
  const { id: operation } = await vms.machines.remove(admin, id, { disks: true });
  const { error } = await vms.wait(operation, 'failed');
  expect(error).toMatchObject({ code: 'vm_changed_outside' });
  outside = {};
  expect(await vms.vm('web')).toMatchObject({ state: 'shut_off', operation: null });
  expect(readdirSync(vms.poolDir)).toContain('web-disk0.raw');
});

it('V9: a machine that another program removed below an external snapshot is not defined on the old disk', async () => {
  const { uuid } = await vms.vm('web');
  const layer = join(vms.poolDir, 'web-disk0.s1');
  const base = join(vms.poolDir, 'web-disk0.raw');
  await run('/usr/bin/qemu-img', ['create', '-q', '-f', 'qcow2', '-b', base, '-F', 'raw', layer]);
  await vms.hypervisor.undefine(uuid);
  const refused = { code: 'vm_changed_outside', message: expect.stringContaining('web-disk0.s1') as string };
  await expect(vms.machines.control(admin, id, 'start')).rejects.toMatchObject(refused);
  await expect(vms.machines.change(admin, id, { cpus: 2 })).rejects.toMatchObject(refused);
  const growth = { index: 0, sizeBytes: 8 * MiB };
  await expect(vms.machines.growDisk(admin, id, growth)).rejects.toMatchObject(refused);
  await expect(vms.machines.remove(admin, id, { disks: true })).rejects.toMatchObject(refused);
  expect(await vms.hypervisor.status(uuid)).toBeNull();
  await rm(layer);
  await expect(vms.machines.control(admin, id, 'start')).resolves.toMatchObject({ state: 'running' });
});

it('SL11: an operator sees which file another program uses, and not where it is', async () => {
  const ann = makePrincipal('ann', 'operator');
  await vms.create({ name: 'hers', disks: [] }, ann);
  const hers = (await vms.vm('hers')).id ?? 0;
  const file = join(vms.poolDir, 'hers.s1');
  outside = { differences: [{ ...snapshot, written: `vda ${file}`, found: 'vda /mnt/other/hers.s2' }] };
  const [whole] = (await vms.machines.get(admin, hers)).changedOutside;
  expect(whole).toMatchObject({ wcc: `vda ${file}`, hypervisor: 'vda /mnt/other/hers.s2' });
  const [shown] = (await vms.machines.get(ann, hers)).changedOutside;
  expect(shown).toMatchObject({ wcc: 'vda pool/hers.s1', hypervisor: 'vda …/hers.s2' });
  const refused = await vms.machines.remove(ann, hers, { disks: true }).catch((error: unknown) => error);
  expect((refused as Error).message).toContain('vda pool/hers.s1 in wcc, vda …/hers.s2 in the hypervisor');
});

it('V2: adopt records all settings of the other program, in the store and in the hypervisor', async () => {
  const { uuid } = await vms.vm('web');
  const order: SettingDifference = {
    setting: 'bootOrder',
    written: 'disk, cdrom',
    found: 'cdrom',
    adopt: { bootOrder: ['cdrom'] },
  };
  outside = { differences: [moreCpus, order] };
  expect((await vms.machines.get(admin, id)).may.adopt).toBe(true);
  await vms.machines.control(admin, id, 'adopt');
  outside = {};
  const adopted = { cpus: 2, bootOrder: ['cdrom'] };
  expect(await vms.machines.get(admin, id)).toMatchObject({ ...adopted, changedOutside: [] });
  expect(await vms.hypervisor.spec(uuid)).toMatchObject(adopted);
  const { db } = vms.store;
  const entries = await db.selectFrom('audit').select('what').where('what', '=', 'vm.adopt').execute();
  expect(entries).toHaveLength(1);
});

it('V2: adopt records a disc that another program inserted, if it is an image of a pool', async () => {
  const path = join(vms.poolDir, 'tools.iso');
  await writeFile(path, bootableIso());
  await vms.rescan();
  const image = (await vms.image('tools.iso')).id;
  outside = { differences: [{ setting: 'cdrom', written: 'empty', found: path, adopt: { cdrom: path } }] };
  await vms.machines.control(admin, id, 'adopt');
  outside = {};
  expect((await vms.machines.get(admin, id)).cdrom).toEqual({ image, name: 'tools.iso' });
});

it('V2: adopt refuses values that wcc cannot represent by their names', async () => {
  const fields: [SettingDifference['setting'], NonNullable<SettingDifference['adopt']>][] = [
    ['name', { name: 'no spaces, please' }],
    ['cpus', { cpus: 512 }],
    ['memory', { memoryBytes: MiB }],
    ['cdrom', { cdrom: '/etc/passwd' }],
  ];
  for (const [setting, adopt] of fields) {
    outside = { differences: [{ setting, written: '', found: 'x', adopt }] };
    await expect(vms.machines.control(admin, id, 'adopt'), setting).rejects.toMatchObject({
      code: 'vm_changed_outside',
      hint: expect.stringContaining(setting) as string,
    });
  }
});

it('V10c: a machine may take the name that another program gave it', async () => {
  outside = { name: 'api' };
  await expect(vms.machines.change(admin, id, { name: 'api' })).resolves.toMatchObject({ name: 'api' });
});

it('V10b: a saved machine is off, shows its orders, and refuses changes with their reason', async () => {
  outside = { state: 'saved' };
  const vm = await vms.machines.get(admin, id);
  expect(vm).toMatchObject({ state: 'saved', stateReason: { code: 'saved_state' } });
  expect(vm.may).toMatchObject({
    start: true,
    discardSavedState: true,
    edit: false,
    cdrom: false,
    copy: false,
    screen: false,
  });
  const refused = { code: 'vm_saved' };
  await expect(vms.machines.change(admin, id, { cpus: 2 })).rejects.toMatchObject(refused);
  const disk = { kind: 'blank', sizeBytes: MiB, format: 'raw' } as const;
  await expect(vms.machines.addDisk(admin, id, disk)).rejects.toMatchObject(refused);
  const copy = { principal: admin, id, body: { name: 'two' }, idempotencyKey: null };
  await expect(vms.machines.copy(copy)).rejects.toMatchObject(refused);
});

it('V10d: a machine whose guest panicked does not start on a base that was written to', async () => {
  await writeBootable(join(vms.poolDir, 'base.raw'));
  await vms.rescan();
  const image = (await vms.image('base.raw')).id;
  await vms.quickCreate({ image, name: 'thin', memoryBytes: 32 * MiB });
  const { id: thin, uuid } = await vms.vm('thin');
  await writeFile(join(vms.poolDir, 'base.raw'), 'another content');
  outside = { state: 'crashed', reason: 'guest_panic' };
  await expect(vms.machines.control(admin, thin ?? 0, 'start')).rejects.toMatchObject({
    code: 'base_changed',
  });
  outside = {};
  expect(await vms.hypervisor.status(uuid)).toMatchObject({ state: 'running' });
});

it('V3: a guest that sleeps can be started, reset and powered off; the power button is refused', async () => {
  outside = { state: 'suspended' };
  const vm = await vms.machines.get(admin, id);
  expect(vm.stateReason).toMatchObject({ code: 'guest_asleep' });
  expect(vm.may).toMatchObject({ start: true, reset: true, powerOff: true, shutdown: false, input: true });
  await expect(vms.machines.control(admin, id, 'shutdown')).rejects.toMatchObject({ code: 'vm_paused' });
  await expect(vms.machines.change(admin, id, { cpus: 2 })).rejects.toMatchObject({ code: 'vm_running' });
});

it('V10k: a guest that the hypervisor cannot run further is not off: it is powered off first', async () => {
  await vms.machines.control(admin, id, 'start');
  outside = { state: 'crashed', reason: 'internal_error' };
  const { may, uuid } = await vms.machines.get(admin, id);
  expect(may).toMatchObject({
    start: true,
    reset: true,
    powerOff: true,
    screen: true,
    edit: false,
    copy: false,
  });
  await expect(vms.machines.change(admin, id, { cpus: 2 })).rejects.toMatchObject({ code: 'vm_running' });
  await vms.machines.control(admin, id, 'power-off');
  outside = {};
  expect(await vms.hypervisor.status(uuid)).toMatchObject({ state: 'shut_off' });
});

it('V10k: a guest that panicked can be reset, and its screen can be seen', async () => {
  outside = { state: 'crashed', reason: 'guest_panic' };
  const { may } = await vms.machines.get(admin, id);
  expect(may).toMatchObject({ start: true, reset: true, powerOff: true, screen: true, edit: false });
  await expect(vms.machines.change(admin, id, { cpus: 2 })).rejects.toMatchObject({ code: 'vm_running' });
});
