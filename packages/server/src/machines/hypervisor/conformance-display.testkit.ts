import { once } from 'node:events';
import { expect, it } from 'vitest';
import { bootSectorTexts } from '../../images/sample/boot-sector.ts';
import type { ConformanceFixture } from './conformance-fixture.testkit.ts';
import { bootGuest, defineMachine, waitForOutput } from './guest.testkit.ts';
import { findMachineProcess, listeningSockets, openFiles } from './processes.testkit.ts';
import { waitUntil } from './wait.testkit.ts';

/** Tests of screen, screenshot, serial port and change hints. */
export function describeDisplay(fixture: ConformanceFixture): void {
  it('openScreen speaks RFB, screenshot returns PNG, and no network port listens', async () => {
    const hypervisor = fixture.hypervisor();
    const { uuid } = await defineMachine(hypervisor, fixture.directory());
    await expect(hypervisor.openScreen(uuid)).rejects.toMatchObject({ code: 'invalid_state' });
    await expect(hypervisor.screenshot(uuid)).rejects.toMatchObject({ code: 'invalid_state' });
    await bootGuest(hypervisor, uuid);
    const screen = await hypervisor.openScreen(uuid);
    const [greeting] = (await once(screen, 'data')) as [Buffer];
    expect(greeting.toString('latin1')).toBe('RFB 003.008\n');
    screen.destroy();
    await once(screen, 'close');
    const png = await hypervisor.screenshot(uuid);
    expect(png.subarray(0, 8).toString('hex')).toBe('89504e470d0a1a0a');
    // Width and height of VGA text mode.
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([720, 400]);
    const pid = (await findMachineProcess(uuid))!;
    const listening = await listeningSockets();
    expect((await openFiles(pid)).filter((file) => listening.includes(file))).toEqual([]);
    await hypervisor.powerOff(uuid);
    await hypervisor.undefine(uuid);
  });

  it('followSerial yields earlier output first, then continues through a stop and a start', async () => {
    const hypervisor = fixture.hypervisor();
    const { uuid } = await defineMachine(hypervisor, fixture.directory());
    await bootGuest(hypervisor, uuid);
    const controller = new AbortController();
    let received = '';
    const following = (async () => {
      for await (const bytes of hypervisor.followSerial(uuid, { signal: controller.signal }))
        received += bytes.toString('latin1');
    })();
    await waitUntil('the earlier output', () => received.includes(bootSectorTexts.ready));
    await hypervisor.shutdown(uuid);
    await waitUntil('the last output', () => received.includes(bootSectorTexts.bye));
    await waitUntil(
      'the machine to be off',
      async () => (await hypervisor.status(uuid))?.state === 'shut_off',
    );
    await hypervisor.start(uuid);
    await waitUntil('the second start', () => received.split(bootSectorTexts.ready).length === 3);
    controller.abort();
    await following;
    const { hello, bye } = bootSectorTexts;
    expect(received).toMatch(new RegExp(`${hello}[^]*${bye}[^]*${hello}`));
    await hypervisor.powerOff(uuid);
    await hypervisor.undefine(uuid);
  });

  it('onChange hints at a start and at a shutdown', async () => {
    const hypervisor = fixture.hypervisor();
    const { uuid } = await defineMachine(hypervisor, fixture.directory());
    let hints = 0;
    const stop = hypervisor.onChange(() => (hints += 1));
    await hypervisor.start(uuid);
    await waitUntil('a hint of the start', () => hints > 0);
    await waitForOutput(hypervisor, uuid, { text: bootSectorTexts.ready });
    const before = hints;
    // The guest shuts down on its own, without a call of the driver.
    await hypervisor.shutdown(uuid);
    await waitUntil('a hint of the end', () => hints > before);
    stop();
    await waitUntil(
      'the machine to be off',
      async () => (await hypervisor.status(uuid))?.state === 'shut_off',
    );
    await hypervisor.undefine(uuid);
    expect(hints).toBeGreaterThan(1);
  });
}
