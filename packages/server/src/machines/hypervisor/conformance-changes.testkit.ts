import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { ConformanceFixture } from './conformance-fixture.testkit.ts';
import { bootGuest, defineMachine, createSpec, MiB, writeDisk } from './guest.testkit.ts';
import { bootableIso } from '../seed/iso.testkit.ts';
import { findMachineProcess, openFiles } from './processes.testkit.ts';

/** Tests of `define`, `setCdrom` and `growDisk`. */
export function describeChanges(fixture: ConformanceFixture): void {
  it('define is idempotent, and changes a machine only while it is off', async () => {
    const hypervisor = fixture.hypervisor();
    const spec = await defineMachine(hypervisor, fixture.directory());
    await hypervisor.define(spec);
    await bootGuest(hypervisor, spec.uuid);
    await hypervisor.start(spec.uuid);
    await hypervisor.define(spec);
    const path = join(fixture.directory(), `${spec.uuid}-second.img`);
    await writeDisk(path, []);
    const disks = [...spec.disks, { path, format: 'raw', backing: [] } as const];
    const changed = { ...spec, name: `${spec.name}-b`, cpus: 2, memoryBytes: 48 * MiB, disks };
    await expect(hypervisor.define(changed)).rejects.toMatchObject({ code: 'invalid_state' });
    await expect(hypervisor.undefine(spec.uuid)).rejects.toMatchObject({ code: 'invalid_state' });
    await hypervisor.powerOff(spec.uuid);
    await hypervisor.define(changed);
    const { name, cpus, memoryBytes } = changed;
    expect(await hypervisor.list()).toContainEqual(
      expect.objectContaining({ uuid: spec.uuid, name, cpus, memoryBytes, state: 'shut_off' }),
    );
    await bootGuest(hypervisor, spec.uuid);
    expect(await openFiles((await findMachineProcess(spec.uuid))!)).toContain(path);
    await hypervisor.powerOff(spec.uuid);
    await hypervisor.undefine(spec.uuid);
  });

  it('an aborted call does not begin, and leaves no partial change', async () => {
    const hypervisor = fixture.hypervisor();
    const spec = createSpec(fixture.directory());
    const aborted = { signal: AbortSignal.abort() };
    await expect(hypervisor.define(spec, aborted)).rejects.toMatchObject({ code: 'aborted' });
    expect(await hypervisor.status(spec.uuid)).toBeNull();
    const { uuid } = await defineMachine(hypervisor, fixture.directory());
    await expect(hypervisor.start(uuid, aborted)).rejects.toMatchObject({ code: 'aborted' });
    expect(await findMachineProcess(uuid)).toBeNull();
    const controller = new AbortController();
    const starting = hypervisor.start(uuid, controller).catch((error: unknown) => error);
    const poweringOff = hypervisor.powerOff(uuid);
    controller.abort();
    await Promise.all([starting, poweringOff]);
    await hypervisor.undefine(uuid);
    expect(await hypervisor.status(uuid)).toBeNull();
    expect(await findMachineProcess(uuid)).toBeNull();
  });

  it('define refuses the name of another machine', async () => {
    const hypervisor = fixture.hypervisor();
    const first = await defineMachine(hypervisor, fixture.directory());
    const second = createSpec(fixture.directory(), { name: first.name });
    await expect(hypervisor.define(second)).rejects.toMatchObject({ code: 'name_taken' });
    expect(await hypervisor.status(second.uuid)).toBeNull();
    await hypervisor.undefine(first.uuid);
  });

  it('setCdrom changes the ISO while off and while running', async () => {
    const hypervisor = fixture.hypervisor();
    const isos = ['one', 'two'].map((name) => join(fixture.directory(), `${name}, with a comma.iso`)) as [
      string,
      string,
    ];
    for (const path of isos) await writeFile(path, Buffer.alloc(MiB), { mode: 0o644 });
    const { uuid } = await defineMachine(hypervisor, fixture.directory());
    await hypervisor.setCdrom(uuid, isos[0]);
    expect(await hypervisor.spec(uuid)).toMatchObject({ cdrom: isos[0] });
    await bootGuest(hypervisor, uuid);
    const pid = (await findMachineProcess(uuid))!;
    const inDrive = async (): Promise<string[]> =>
      (await openFiles(pid)).filter((path) => path.endsWith('.iso'));
    expect(await inDrive()).toEqual([isos[0]]);
    await hypervisor.setCdrom(uuid, isos[1]);
    expect(await inDrive()).toEqual([isos[1]]);
    await hypervisor.setCdrom(uuid, null);
    expect(await inDrive()).toEqual([]);
    await hypervisor.setCdrom(uuid, null);
    await hypervisor.setCdrom(uuid, isos[0]);
    expect(await inDrive()).toEqual([isos[0]]);
    expect(await hypervisor.spec(uuid)).toMatchObject({ cdrom: isos[0] });
    await hypervisor.powerOff(uuid);
    await hypervisor.undefine(uuid);
  });

  it('V1: boots from a CD on virtio-scsi, and on SATA where the machine asks for it', async () => {
    const hypervisor = fixture.hypervisor();
    const [cdrom, seed] = ['boot', 'seed'].map((name) => join(fixture.directory(), `cd-bus-${name}.iso`)) as [
      string,
      string,
    ];
    for (const path of [cdrom, seed]) await writeFile(path, bootableIso(), { mode: 0o644 });
    const changes = { disks: [], cdrom, seed, bootOrder: ['cdrom'] } as const;
    const spec = createSpec(fixture.directory(), changes);
    for (const cdBus of ['scsi', 'sata'] as const) {
      await hypervisor.define({ ...spec, cdBus });
      expect(await hypervisor.spec(spec.uuid)).toMatchObject({ cdBus });
      await bootGuest(hypervisor, spec.uuid);
      const pid = (await findMachineProcess(spec.uuid))!;
      expect(await openFiles(pid)).toEqual(expect.arrayContaining([cdrom, seed]));
      const devices = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).match(/(scsi|ide)-cd/g);
      expect(devices).toEqual(cdBus === 'scsi' ? ['scsi-cd', 'scsi-cd'] : ['ide-cd', 'ide-cd']);
      await hypervisor.powerOff(spec.uuid);
    }
    await hypervisor.undefine(spec.uuid);
  });

  it('growDisk grows a disk while off and while running, and never shrinks it', async () => {
    const hypervisor = fixture.hypervisor();
    const { uuid, disks } = await defineMachine(hypervisor, fixture.directory());
    const [disk] = disks;
    const size = async (): Promise<number> => (await stat(disk!.path)).size;
    await hypervisor.growDisk(uuid, { disk: disk!, sizeBytes: 2 * MiB });
    expect(await size()).toBe(2 * MiB);
    const smaller = { disk: disk!, sizeBytes: MiB };
    await expect(hypervisor.growDisk(uuid, smaller)).rejects.toMatchObject({ code: 'invalid_spec' });
    await bootGuest(hypervisor, uuid);
    await expect(hypervisor.growDisk(uuid, smaller)).rejects.toMatchObject({ code: 'invalid_spec' });
    await hypervisor.growDisk(uuid, { disk: disk!, sizeBytes: 3 * MiB });
    expect(await size()).toBe(3 * MiB);
    const foreign = { disk: { ...disk!, path: '/etc/passwd' }, sizeBytes: 4 * MiB };
    await expect(hypervisor.growDisk(uuid, foreign)).rejects.toMatchObject({ code: 'invalid_spec' });
    await hypervisor.powerOff(uuid);
    await hypervisor.undefine(uuid);
  });
}
