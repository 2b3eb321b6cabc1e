import { expect, it } from 'vitest';
import { bootSectorTexts } from '../../images/sample/boot-sector.ts';
import type { MachineState, MachineStateReason } from '../hypervisor.ts';
import type { ConformanceFixture } from './conformance-fixture.testkit.ts';
import type { MachineSpec } from './machine-spec.ts';
import {
  bootGuest,
  createPanicker,
  createSleeper,
  createSpec,
  defineMachine,
  waitForOutput,
  writeDisk,
} from './guest.testkit.ts';
import { waitUntil } from './wait.testkit.ts';

/** Tests of states that need an order of their own. */
export function describeStates(fixture: ConformanceFixture): void {
  async function startWith(sector: Buffer): Promise<MachineSpec> {
    const spec = createSpec(fixture.directory());
    await writeDisk(spec.disks[0]!.path, [sector]);
    await fixture.hypervisor().define(spec);
    await fixture.hypervisor().start(spec.uuid);
    return spec;
  }

  async function waitForState(uuid: string, state: MachineState, reason: MachineStateReason): Promise<void> {
    await waitUntil(`the state ${state}`, async () => {
      const status = await fixture.hypervisor().status(uuid);
      return status?.state === state && status.reason === reason;
    });
  }

  it('V3: a guest that sleeps is suspended, does not hear the power button, and start wakes it', async () => {
    const hypervisor = fixture.hypervisor();
    const { uuid } = await startWith(createSleeper());
    await waitForState(uuid, 'suspended', null);
    expect(await hypervisor.list()).toContainEqual(expect.objectContaining({ uuid, state: 'suspended' }));
    await expect(hypervisor.shutdown(uuid)).rejects.toMatchObject({ code: 'invalid_state' });
    await hypervisor.start(uuid);
    expect(await hypervisor.status(uuid)).toMatchObject({ state: 'running' });
    await waitForOutput(hypervisor, uuid, { text: 'w' });
    await hypervisor.powerOff(uuid);
    await hypervisor.undefine(uuid);
  });

  it('V3: reset boots a guest that sleeps', async () => {
    const hypervisor = fixture.hypervisor();
    const { uuid } = await startWith(createSleeper());
    await waitForState(uuid, 'suspended', null);
    await hypervisor.reset(uuid);
    expect(await hypervisor.status(uuid)).toMatchObject({ state: 'running' });
    await waitForOutput(hypervisor, uuid, { text: 'w' });
    await hypervisor.powerOff(uuid);
    await hypervisor.undefine(uuid);
  });

  it('V10k: a guest that panics is crashed with the reason, keeps its screen, and reset boots it again', async () => {
    const hypervisor = fixture.hypervisor();
    const { uuid } = await startWith(createPanicker());
    await waitForState(uuid, 'crashed', 'guest_panic');
    expect((await hypervisor.screenshot(uuid)).length).toBeGreaterThan(0);
    await expect(hypervisor.undefine(uuid)).rejects.toMatchObject({ code: 'invalid_state' });
    await hypervisor.reset(uuid);
    await waitForOutput(hypervisor, uuid, { text: 'p', times: 2 });
    await waitForState(uuid, 'crashed', 'guest_panic');
    await hypervisor.start(uuid);
    await waitForOutput(hypervisor, uuid, { text: 'p', times: 3 });
    await hypervisor.powerOff(uuid);
    expect(await hypervisor.status(uuid)).toMatchObject({ state: 'shut_off', reason: null });
    await hypervisor.undefine(uuid);
  });

  it('reset boots a paused guest, and the power button of a paused guest is refused', async () => {
    const hypervisor = fixture.hypervisor();
    const { uuid } = await defineMachine(hypervisor, fixture.directory());
    await bootGuest(hypervisor, uuid);
    await hypervisor.pause(uuid);
    await expect(hypervisor.shutdown(uuid)).rejects.toMatchObject({ code: 'invalid_state' });
    await hypervisor.reset(uuid);
    expect(await hypervisor.status(uuid)).toMatchObject({ state: 'running' });
    await waitForOutput(hypervisor, uuid, { text: bootSectorTexts.ready, times: 2 });
    await hypervisor.powerOff(uuid);
    await hypervisor.discardSavedState(uuid);
    await hypervisor.undefine(uuid);
  });
}
