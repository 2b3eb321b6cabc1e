import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Hypervisor, MachineStatus } from '../../hypervisor.ts';
import { MiB, writeDisk } from '../guest.testkit.ts';
import { findMachineProcess, openFiles } from '../processes.testkit.ts';
import { createLibvirtDriver } from './driver.ts';
import type { SharedMachine } from './second-hand.testkit.ts';
import { commitSnapshot, createShared, snapshot } from './second-hand.testkit.ts';
import type { LibvirtSession } from './session.testkit.ts';
import { startSession } from './session.testkit.ts';

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

describe('two hands on one machine of libvirt', () => {
  let session: LibvirtSession;
  let hypervisor: Hypervisor;
  let machine: SharedMachine;
  const errors: unknown[] = [];
  beforeAll(async () => {
    session = await startSession();
    hypervisor = await createLibvirtDriver({
      dir: join(session.home, 'wcc'),
      connection: session.connection,
      onError: (error) => errors.push(error),
    });
  });
  afterAll(async () => {
    for (const { uuid } of await hypervisor.list()) await hypervisor.powerOff(uuid);
    await hypervisor.close();
    await session.close();
    if (errors.length > 0) throw errors[0];
  });

  const status = async (): Promise<MachineStatus> => (await hypervisor.status(machine.spec.uuid))!;
  const settingsChanged = async (): Promise<string[]> =>
    (await status()).differences.map(({ setting }) => setting);
  const refusal = (setting: string): object => ({
    code: 'changed_outside',
    differences: [expect.objectContaining({ setting })],
  });

  it('V2: an external snapshot stays, its data stays, and every change is refused by the name of the disks', async () => {
    machine = await createShared(session, hypervisor);
    const { spec, virsh } = machine;
    await machine.write(0x5a, 0);
    await hypervisor.start(spec.uuid);
    await snapshot(machine, 's1');
    const top = await machine.top();
    expect(top).toMatch(/\.s1$/);
    expect(await settingsChanged()).toEqual(['disks']);
    const refused = refusal('disks');
    await expect(hypervisor.setCdrom(spec.uuid, null)).rejects.toMatchObject(refused);
    await hypervisor.powerOff(spec.uuid);
    await machine.write(0xa5, MiB);
    const content = await machine.read();
    const growth = { disk: spec.disks[0]!, sizeBytes: 8 * MiB };
    await expect(hypervisor.growDisk(spec.uuid, growth)).rejects.toMatchObject(refused);
    await expect(hypervisor.define({ ...spec, cpus: 2 })).rejects.toMatchObject(refused);
    await hypervisor.start(spec.uuid);
    expect(await openFiles((await findMachineProcess(spec.uuid))!)).toContain(top);
    expect((await machine.read()).equals(content)).toBe(true);
    await commitSnapshot(machine);
    expect(await settingsChanged()).toEqual([]);
    expect((await machine.read()).equals(content)).toBe(true);
    await hypervisor.setCdrom(spec.uuid, null);
    await hypervisor.powerOff(spec.uuid);
    await virsh.run('undefine', spec.uuid);
  });

  it('V2: CPUs, memory and a disk of another program are shown, and no change reverts them', async () => {
    machine = await createShared(session, hypervisor);
    const { spec, virsh } = machine;
    await virsh.run('setvcpus', spec.uuid, '2', '--maximum', '--config');
    await virsh.run('setvcpus', spec.uuid, '2', '--config');
    await virsh.run('setmaxmem', spec.uuid, '64M', '--config');
    const second = join(session.home, `${spec.uuid}-b.img`);
    await writeDisk(second, []);
    await virsh.run('attach-disk', spec.uuid, second, 'vdb', '--config');
    const found = { uuid: spec.uuid, cpus: 2, memoryBytes: 64 * MiB };
    expect(await hypervisor.list()).toContainEqual(expect.objectContaining(found));
    expect(await settingsChanged()).toEqual(['cpus', 'memory', 'disks']);
    const bootOrder = ['cdrom', 'disk'] as const;
    const before = await machine.definition();
    await expect(hypervisor.define({ ...spec, bootOrder })).rejects.toMatchObject({
      code: 'changed_outside',
      detail: expect.stringContaining('cpus: 1 in wcc, 2 in the hypervisor') as string,
    });
    expect(await machine.definition()).toBe(before);
    await virsh.run('detach-disk', spec.uuid, 'vdb', '--config');
    const adopted = { ...spec, cpus: 2, memoryBytes: 64 * MiB };
    await virsh.run('desc', spec.uuid, '--title', '--config', 'kept by wcc');
    await hypervisor.define(adopted);
    expect(await settingsChanged()).toEqual([]);
    await hypervisor.define({ ...adopted, bootOrder });
    expect(await settingsChanged()).toEqual([]);
    expect(await machine.definition()).toContain('<title>kept by wcc</title>');
    await hypervisor.undefine(spec.uuid);
  });

  it('V2: ejects a disc that another program inserted until the next start only', async () => {
    machine = await createShared(session, hypervisor);
    const { spec, virsh } = machine;
    await hypervisor.start(spec.uuid);
    const disc = join(session.home, `${spec.uuid}.iso`);
    await writeDisk(disc, []);
    await virsh.run('change-media', spec.uuid, 'sda', '--update', '--source', disc, '--live');
    expect(await settingsChanged()).toEqual([]);
    expect(await openFiles((await findMachineProcess(spec.uuid))!)).toContain(disc);
    await hypervisor.setCdrom(spec.uuid, null);
    expect(await openFiles((await findMachineProcess(spec.uuid))!)).not.toContain(disc);
    await hypervisor.setCdrom(spec.uuid, null);
    await hypervisor.powerOff(spec.uuid);
    await hypervisor.undefine(spec.uuid);
  });

  it('adopts settings of a running machine, which keeps running', async () => {
    machine = await createShared(session, hypervisor);
    const { spec, virsh } = machine;
    await hypervisor.start(spec.uuid);
    const pid = await findMachineProcess(spec.uuid);
    await virsh.run('setvcpus', spec.uuid, '3', '--maximum', '--config');
    await virsh.run('setvcpus', spec.uuid, '3', '--config');
    await expect(hypervisor.define({ ...spec, cpus: 2 })).rejects.toMatchObject({ code: 'invalid_state' });
    await hypervisor.define({ ...spec, cpus: 3 });
    expect(await settingsChanged()).toEqual([]);
    expect(await findMachineProcess(spec.uuid)).toBe(pid);
    await hypervisor.powerOff(spec.uuid);
    await hypervisor.undefine(spec.uuid);
  });

  it('V10b: a saved machine is saved, refuses changes, and start restores it', async () => {
    machine = await createShared(session, hypervisor);
    const { spec, virsh } = machine;
    await hypervisor.start(spec.uuid);
    await virsh.run('managedsave', spec.uuid);
    expect(await status()).toMatchObject({ state: 'saved', reason: null });
    expect(await hypervisor.list()).toContainEqual(
      expect.objectContaining({ uuid: spec.uuid, state: 'saved' }),
    );
    const saved = { code: 'saved_state' };
    await expect(hypervisor.define({ ...spec, memoryBytes: 64 * MiB })).rejects.toMatchObject(saved);
    await expect(hypervisor.setCdrom(spec.uuid, null)).rejects.toMatchObject(saved);
    const growth = { disk: spec.disks[0]!, sizeBytes: 8 * MiB };
    await expect(hypervisor.growDisk(spec.uuid, growth)).rejects.toMatchObject(saved);
    await hypervisor.powerOff(spec.uuid);
    expect(await status()).toMatchObject({ state: 'saved' });
    await hypervisor.start(spec.uuid);
    expect(await status()).toMatchObject({ state: 'running' });
    await virsh.run('managedsave', spec.uuid, '--paused');
    await hypervisor.start(spec.uuid);
    expect(await status()).toMatchObject({ state: 'running' });
    await virsh.run('managedsave', spec.uuid);
    await hypervisor.discardSavedState(spec.uuid);
    expect(await status()).toMatchObject({ state: 'shut_off' });
    await hypervisor.growDisk(spec.uuid, growth);
    await hypervisor.undefine(spec.uuid);
  });

  it('V10c: a rename by another program is named as one, and the new name can be adopted', async () => {
    machine = await createShared(session, hypervisor);
    const { spec, virsh } = machine;
    const name = `${spec.name}-new`;
    await virsh.run('domrename', spec.uuid, name);
    await expect(hypervisor.define({ ...spec, cpus: 2 })).rejects.toMatchObject(refusal('name'));
    await hypervisor.define({ ...spec, name });
    await hypervisor.define({ ...spec, name: `${name}er`, cpus: 2 });
    expect(await status()).toMatchObject({ name: `${name}er`, cpus: 2, differences: [] });
    await hypervisor.undefine(spec.uuid);
  });

  it('V10a: the reason of a start with a moved disk names its file', async () => {
    machine = await createShared(session, hypervisor);
    const { spec } = machine;
    const { path } = spec.disks[0]!;
    await rename(path, `${path}.moved`);
    await expect(hypervisor.start(spec.uuid)).rejects.toMatchObject({
      code: 'start_failed',
      detail: expect.stringContaining(path) as string,
    });
    await hypervisor.undefine(spec.uuid);
  });
});
