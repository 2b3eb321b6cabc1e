import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { makeBootSector } from '../../../images/sample/boot-sector.ts';
import type { Hypervisor } from '../../hypervisor.ts';
import { serialLimitBytes } from '../../hypervisor.ts';
import { bootGuest, defineMachine } from '../guest.testkit.ts';
import { findMachineProcess } from '../processes.testkit.ts';
import { trimSerialLog, readSerialLog } from '../serial-log.ts';
import { waitUntil } from '../wait.testkit.ts';
import { createQemuDriver } from './driver.ts';

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

describe('qemu driver', () => {
  let home = '';
  let hypervisor: Hypervisor;
  const errors: unknown[] = [];
  beforeAll(async () => {
    // Longer than the address of a unix socket may be.
    home = join(await mkdtemp(join(tmpdir(), 'wcc-machines-')), 'd'.repeat(120));
    hypervisor = await createQemuDriver({ dir: home, onError: (error) => errors.push(error) });
  });
  afterAll(async () => {
    await hypervisor.close();
    await rm(join(home, '..'), { recursive: true });
    if (errors.length > 0) throw errors[0];
  });
  const fileOf = (uuid: string, name: string): string => join(home, 'machines', uuid, name);

  it('shows a machine with a killed process as crashed, and starts it again', async () => {
    const { uuid } = await defineMachine(hypervisor, home);
    await bootGuest(hypervisor, uuid);
    process.kill((await findMachineProcess(uuid))!, 'SIGKILL');
    await waitUntil('the crash', async () => (await hypervisor.status(uuid))?.state === 'crashed');
    await bootGuest(hypervisor, uuid);
    expect(await hypervisor.status(uuid)).toMatchObject({ state: 'running' });
    await hypervisor.powerOff(uuid);
    await hypervisor.undefine(uuid);
  });

  it('powers off a machine that does not answer', async () => {
    const { uuid } = await defineMachine(hypervisor, home);
    await bootGuest(hypervisor, uuid);
    process.kill((await findMachineProcess(uuid))!, 'SIGSTOP');
    expect(await hypervisor.status(uuid)).toMatchObject({ state: 'unknown', reason: 'no_answer' });
    await hypervisor.powerOff(uuid);
    expect(await findMachineProcess(uuid)).toBeNull();
    expect(await hypervisor.status(uuid)).toMatchObject({ state: 'shut_off' });
    await hypervisor.undefine(uuid);
  });

  it('does not take another process for a machine when its pid is reused', async () => {
    const { uuid } = await defineMachine(hypervisor, home);
    const bystander = await defineMachine(hypervisor, home);
    await bootGuest(hypervisor, bystander.uuid);
    const pid = (await findMachineProcess(bystander.uuid))!;
    for (const number of [process.pid, pid]) {
      await writeFile(fileOf(uuid, 'qemu.pid'), `${number}\n`);
      expect(await hypervisor.status(uuid)).toMatchObject({ state: 'crashed' });
      await hypervisor.powerOff(uuid);
    }
    expect(await findMachineProcess(bystander.uuid)).toBe(pid);
    await hypervisor.powerOff(bystander.uuid);
    for (const one of [uuid, bystander.uuid]) await hypervisor.undefine(one);
  });

  it('keeps the files and the environment of a machine private', async () => {
    const { uuid } = await defineMachine(hypervisor, home);
    await bootGuest(hypervisor, uuid);
    expect((await stat(join(home, 'machines', uuid))).mode & 0o777).toBe(0o700);
    expect((await stat(join(home, 'machines'))).mode & 0o777).toBe(0o700);
    const environment = await readFile(`/proc/${await findMachineProcess(uuid)}/environ`, 'utf8');
    expect(environment.split('\0').filter((entry) => entry !== '')).toEqual([
      'PATH=/usr/bin:/usr/sbin:/bin:/sbin',
      'LC_ALL=C',
    ]);
    await hypervisor.powerOff(uuid);
    await hypervisor.undefine(uuid);
  });

  it('keeps the machine type when a machine is redefined', async () => {
    const spec = await defineMachine(hypervisor, home);
    const path = fileOf(spec.uuid, 'machine.json');
    const definition = JSON.parse(await readFile(path, 'utf8')) as { machineType: string };
    expect(definition.machineType).toMatch(/^pc-q35-\d/);
    await writeFile(path, JSON.stringify({ ...definition, machineType: 'pc-q35-6.2' }));
    await hypervisor.define({ ...spec, cpus: 2 });
    expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({
      machineType: 'pc-q35-6.2',
      spec: { cpus: 2 },
    });
    await bootGuest(hypervisor, spec.uuid);
    await hypervisor.powerOff(spec.uuid);
    await hypervisor.undefine(spec.uuid);
  });

  it('refuses networks of libvirt and missing bridges', async () => {
    const { uuid, ...rest } = await defineMachine(hypervisor, home);
    for (const kind of ['network', 'bridge'] as const) {
      const spec = { ...rest, uuid, network: { kind, name: 'nowhere' } };
      await expect(hypervisor.define(spec)).rejects.toMatchObject({ code: 'unsupported' });
    }
    const spec = { ...rest, uuid, network: { kind: 'user' } as const };
    await hypervisor.define(spec);
    await bootGuest(hypervisor, uuid);
    await hypervisor.powerOff(uuid);
    await hypervisor.undefine(uuid);
  });

  it('trims a serial log and keeps its newest part', async () => {
    const path = join(home, 'serial.log');
    await writeFile(path, Buffer.concat([Buffer.alloc(2 * serialLimitBytes, 'a'), Buffer.from('the end')]));
    await trimSerialLog(path);
    expect((await stat(path)).size).toBe(0);
    await writeFile(path, ', and more', { flag: 'a' });
    const log = await readSerialLog(path);
    expect(log.length).toBe(serialLimitBytes);
    expect(log.toString('latin1')).toMatch(/a{1000}the end, and more$/);
  });

  it('boot sector has a boot signature and an empty partition table', () => {
    const sector = makeBootSector();
    expect(sector).toHaveLength(512);
    expect(sector.subarray(510).toString('hex')).toBe('55aa');
    // The partition table is empty, so that partitioning tools see a blank disk.
    expect(sector.subarray(446, 510).equals(Buffer.alloc(64))).toBe(true);
  });
});
