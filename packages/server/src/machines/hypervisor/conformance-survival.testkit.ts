import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { ConformanceFixture } from './conformance-fixture.testkit.ts';
import { bootGuest, makeMachine } from './guest.testkit.ts';
import { findMachineProcess } from './processes.testkit.ts';
import { waitUntil } from './wait.testkit.ts';

/** What outlives what. */
export function describeSurvival(fixture: ConformanceFixture): void {
  it('finds a running machine again when the driver was thrown away', async () => {
    const spec = await makeMachine(fixture.hypervisor(), fixture.directory());
    await bootGuest(fixture.hypervisor(), spec.uuid);
    const pid = await findMachineProcess(spec.uuid);
    const hypervisor = await fixture.renew();
    expect(await hypervisor.status(spec.uuid)).toMatchObject({ state: 'running', name: spec.name });
    expect(await hypervisor.spec(spec.uuid)).toEqual(spec);
    expect(await findMachineProcess(spec.uuid)).toBe(pid);
    await hypervisor.shutdown(spec.uuid);
    await waitUntil('its end', async () => (await hypervisor.status(spec.uuid))?.state === 'shut_off');
    await hypervisor.undefine(spec.uuid);
  });

  it('leaves a machine running when the process that started it is killed by SIGKILL', async () => {
    const hypervisor = fixture.hypervisor();
    const { uuid } = await makeMachine(hypervisor, fixture.directory());
    await hypervisor.close();
    const holder = spawn(process.execPath, ['--input-type=module', '-e', holderText(fixture, uuid)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    holder.stdout.on('data', (text: Buffer) => (said += text.toString()));
    const gone = once(holder, 'exit');
    await Promise.race([waitUntil('the machine to run', () => said.includes('running')), gone]);
    // A signal for the whole group, as a terminal sends it.
    holder.kill('SIGINT');
    holder.kill('SIGKILL');
    await gone;
    expect(said).toContain('running');
    const successor = await fixture.renew();
    expect(await successor.status(uuid)).toMatchObject({ state: 'running' });
    await successor.powerOff(uuid);
    expect(await findMachineProcess(uuid)).toBeNull();
    await successor.undefine(uuid);
  });

  it('removes directories that a crash left, and no machine', async () => {
    const { uuid } = await makeMachine(fixture.hypervisor(), fixture.directory());
    const leftover = join(fixture.machinesDirectory(), randomUUID());
    await mkdir(leftover);
    const hypervisor = await fixture.renew();
    expect((await hypervisor.list()).map((one) => one.uuid)).toContain(uuid);
    expect(existsSync(leftover)).toBe(false);
    await hypervisor.undefine(uuid);
    expect(existsSync(join(fixture.machinesDirectory(), uuid))).toBe(false);
  });
}

/** Starts the machine, says so, and stays. */
function holderText(fixture: ConformanceFixture, uuid: string): string {
  return `${fixture.moduleText()}
    await hypervisor.start(${JSON.stringify(uuid)});
    console.log((await hypervisor.status(${JSON.stringify(uuid)})).state);
    setInterval(() => {}, 1000);`;
}
