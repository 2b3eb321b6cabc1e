import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bootSectorMark, bootSectorTexts, sectorBytes } from '../../images/sample/boot-sector.ts';
import { describeChanges } from './conformance-changes.testkit.ts';
import { describeDisplay } from './conformance-display.testkit.ts';
import { describeSafety } from './conformance-safety.testkit.ts';
import { describeStates } from './conformance-states.testkit.ts';
import { describeSurvival } from './conformance-survival.testkit.ts';
import type { ConformanceFixture } from './conformance-fixture.testkit.ts';
import { bootGuest, defineMachine, createSpec, MiB, waitForOutput } from './guest.testkit.ts';
import { findUefi } from './uefi.ts';
import { waitUntil } from './wait.testkit.ts';

/** The conformance suite of `Hypervisor`. Every driver must pass it, with real machines. */
export function hypervisorConformance(name: string, createFixture: () => ConformanceFixture): void {
  describe(name, () => {
    const fixture = createFixture();
    describeLifecycle(fixture);
    describeDisplay(fixture);
    describeChanges(fixture);
    describeSafety(fixture);
    describeStates(fixture);
    describeSurvival(fixture);
  });
}

function describeLifecycle(fixture: ConformanceFixture): void {
  it('probe reports the capabilities of the host', async () => {
    const facts = await fixture.hypervisor().probe();
    expect(facts).toMatchObject({ driver: fixture.hypervisor().driver, missing: null });
    expect(['kvm', 'tcg']).toContain(facts.acceleration);
    expect(facts.version).toMatch(/^\d+\.\d+/);
  });

  it('defines, starts, logs the serial port, shuts down by the power button, and undefines', async () => {
    const hypervisor = fixture.hypervisor();
    const spec = await defineMachine(hypervisor, fixture.directory());
    const { uuid, name, cpus, memoryBytes } = spec;
    const off = { state: 'shut_off', reason: null, foreign: false, residentBytes: null, differences: [] };
    expect(await hypervisor.status(uuid)).toEqual({ uuid, name, cpus, memoryBytes, ...off });
    expect(await hypervisor.spec(uuid)).toEqual(spec);
    await bootGuest(hypervisor, uuid);
    expect(await hypervisor.status(uuid)).toMatchObject({
      state: 'running',
      reason: null,
      residentBytes: expect.any(Number) as number,
    });
    await hypervisor.shutdown(uuid);
    await waitForOutput(hypervisor, uuid, { text: bootSectorTexts.bye });
    await waitUntil(
      'the machine to be off',
      async () => (await hypervisor.status(uuid))?.state === 'shut_off',
    );
    const disk = await readFile(spec.disks[0]!.path);
    expect(disk.subarray(sectorBytes, sectorBytes + bootSectorMark.length).toString()).toBe(bootSectorMark);
    await hypervisor.undefine(uuid);
    expect(await hypervisor.status(uuid)).toBeNull();
    expect(await hypervisor.list()).not.toContainEqual(expect.objectContaining({ uuid }));
    await expect(readFile(spec.disks[0]!.path)).resolves.toHaveLength(disk.length);
  });

  it('resets and powers off', async () => {
    const hypervisor = fixture.hypervisor();
    const { uuid } = await defineMachine(hypervisor, fixture.directory());
    await bootGuest(hypervisor, uuid);
    await hypervisor.reset(uuid);
    await waitForOutput(hypervisor, uuid, { text: bootSectorTexts.ready, times: 2 });
    await hypervisor.powerOff(uuid);
    expect(await hypervisor.status(uuid)).toMatchObject({ state: 'shut_off' });
    await hypervisor.powerOff(uuid);
    await hypervisor.undefine(uuid);
  });

  it('pauses a running machine and resumes it, and leaves a machine that is off alone', async () => {
    const hypervisor = fixture.hypervisor();
    const { uuid } = await defineMachine(hypervisor, fixture.directory());
    await hypervisor.pause(uuid);
    await hypervisor.resume(uuid);
    expect(await hypervisor.status(uuid)).toMatchObject({ state: 'shut_off' });
    await bootGuest(hypervisor, uuid);
    await hypervisor.pause(uuid);
    await hypervisor.pause(uuid);
    expect(await hypervisor.status(uuid)).toMatchObject({ state: 'paused', reason: null });
    await hypervisor.resume(uuid);
    await hypervisor.resume(uuid);
    expect(await hypervisor.status(uuid)).toMatchObject({ state: 'running', reason: null });
    await hypervisor.powerOff(uuid);
    await hypervisor.undefine(uuid);
  });

  it('boots UEFI with its own copy of the variables, which undefine removes', async () => {
    const hypervisor = fixture.hypervisor();
    expect(await hypervisor.probe()).toMatchObject({ hasUefi: true });
    const changes = { firmware: 'uefi', memoryBytes: 128 * MiB } as const;
    const { uuid } = await defineMachine(hypervisor, fixture.directory(), changes);
    const variables = join(fixture.machinesDirectory(), uuid, 'vars.fd');
    await hypervisor.start(uuid);
    expect(await hypervisor.status(uuid)).toMatchObject({ state: 'running' });
    // The firmware prints this when it looks for a boot device.
    await waitForOutput(hypervisor, uuid, { text: 'BdsDxe: ' });
    const template = await readFile(findUefi()!.variables);
    const own = await readFile(variables);
    expect(own.length).toBe(template.length);
    expect(own.equals(template), 'the firmware wrote into the variables').toBe(false);
    await hypervisor.powerOff(uuid);
    await hypervisor.undefine(uuid);
    await expect(readFile(variables)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('rejects an unknown UUID with unknown_machine', async () => {
    const hypervisor = fixture.hypervisor();
    const uuid = randomUUID();
    const unknown = { code: 'unknown_machine' };
    await expect(hypervisor.start(uuid)).rejects.toMatchObject(unknown);
    await expect(hypervisor.pause(uuid)).rejects.toMatchObject(unknown);
    await expect(hypervisor.resume(uuid)).rejects.toMatchObject(unknown);
    await expect(hypervisor.shutdown(uuid)).rejects.toMatchObject(unknown);
    await expect(hypervisor.powerOff(uuid)).rejects.toMatchObject(unknown);
    await expect(hypervisor.reset(uuid)).rejects.toMatchObject(unknown);
    await expect(hypervisor.setCdrom(uuid, null)).rejects.toMatchObject(unknown);
    await expect(hypervisor.openScreen(uuid)).rejects.toMatchObject(unknown);
    await expect(hypervisor.screenshot(uuid)).rejects.toMatchObject(unknown);
    await expect(hypervisor.readSerial(uuid)).rejects.toMatchObject(unknown);
    const [disk] = createSpec(fixture.directory()).disks;
    await expect(hypervisor.growDisk(uuid, { disk: disk!, sizeBytes: 4096 })).rejects.toMatchObject(unknown);
    expect(await hypervisor.status(uuid)).toBeNull();
    expect(await hypervisor.spec(uuid)).toBeNull();
    await hypervisor.undefine(uuid);
  });
}
