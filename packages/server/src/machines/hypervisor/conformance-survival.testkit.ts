import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { ConformanceFixture } from './conformance-fixture.testkit.ts';
import { bootGuest, defineMachine } from './guest.testkit.ts';
import { findMachineProcess } from './processes.testkit.ts';
import { waitUntil } from './wait.testkit.ts';

/** Tests of machines after the end of a driver or its process. */
export function describeSurvival(fixture: ConformanceFixture): void {
  it('a new driver finds a running machine', async () => {
    const spec = await defineMachine(fixture.hypervisor(), fixture.directory());
    await bootGuest(fixture.hypervisor(), spec.uuid);
    const pid = await findMachineProcess(spec.uuid);
    const hypervisor = await fixture.renew();
    expect(await hypervisor.status(spec.uuid)).toMatchObject({ state: 'running', name: spec.name });
    expect(await hypervisor.spec(spec.uuid)).toEqual(spec);
    expect(await findMachineProcess(spec.uuid)).toBe(pid);
    await hypervisor.shutdown(spec.uuid);
    await waitUntil(
      'the machine to be off',
      async () => (await hypervisor.status(spec.uuid))?.state === 'shut_off',
    );
    await hypervisor.undefine(spec.uuid);
  });

  it('a machine survives a SIGKILL of the process that started it', async () => {
    const hypervisor = fixture.hypervisor();
    const { uuid } = await defineMachine(hypervisor, fixture.directory());
    await hypervisor.close();
    const holder = spawn(process.execPath, ['--input-type=module', '-e', holderText(fixture, uuid)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let printed = '';
    holder.stdout.on('data', (text: Buffer) => (printed += text.toString()));
    const exited = once(holder, 'exit');
    await Promise.race([waitUntil('the machine to run', () => printed.includes('running')), exited]);
    // A terminal sends this signal to the whole process group.
    holder.kill('SIGINT');
    holder.kill('SIGKILL');
    await exited;
    expect(printed).toContain('running');
    const successor = await fixture.renew();
    expect(await successor.status(uuid)).toMatchObject({ state: 'running' });
    await successor.powerOff(uuid);
    expect(await findMachineProcess(uuid)).toBeNull();
    await successor.undefine(uuid);
  });

  it('a new driver removes orphan directories of a crash, and no machine', async () => {
    const { uuid } = await defineMachine(fixture.hypervisor(), fixture.directory());
    const orphan = join(fixture.machinesDirectory(), randomUUID());
    await mkdir(orphan);
    const hypervisor = await fixture.renew();
    expect((await hypervisor.list()).map((one) => one.uuid)).toContain(uuid);
    expect(existsSync(orphan)).toBe(false);
    await hypervisor.undefine(uuid);
    expect(existsSync(join(fixture.machinesDirectory(), uuid))).toBe(false);
  });
}

/** A program that starts the machine, prints its state, and stays alive. */
function holderText(fixture: ConformanceFixture, uuid: string): string {
  return `${fixture.moduleText()}
    await hypervisor.start(${JSON.stringify(uuid)});
    console.log((await hypervisor.status(${JSON.stringify(uuid)})).state);
    setInterval(() => {}, 1000);`;
}
