import { once } from 'node:events';
import { expect, it } from 'vitest';
import { bootSectorSays } from '../../images/sample/boot-sector.ts';
import type { ConformanceFixture } from './conformance-fixture.testkit.ts';
import { bootGuest, makeMachine, waitForOutput } from './guest.testkit.ts';
import { findMachineProcess, listeningSockets, openFiles } from './processes.testkit.ts';
import { waitUntil } from './wait.testkit.ts';

/** Screen, screenshot, serial port, and hints. */
export function describeDisplay(fixture: ConformanceFixture): void {
  it('shows the screen as RFB and as PNG, and listens on no network for it', async () => {
    const hypervisor = fixture.hypervisor();
    const { uuid } = await makeMachine(hypervisor, fixture.directory());
    await expect(hypervisor.openScreen(uuid)).rejects.toMatchObject({ code: 'invalid_state' });
    await expect(hypervisor.screenshot(uuid)).rejects.toMatchObject({ code: 'invalid_state' });
    await bootGuest(hypervisor, uuid);
    const screen = await hypervisor.openScreen(uuid);
    const [greeting] = (await once(screen, 'data')) as [Buffer];
    expect(greeting.toString('latin1')).toBe('RFB 003.008\n');
    screen.destroy();
    await once(screen, 'close');
    const picture = await hypervisor.screenshot(uuid);
    expect(picture.subarray(0, 8).toString('hex')).toBe('89504e470d0a1a0a');
    // Width and height of the text mode of a VGA.
    expect([picture.readUInt32BE(16), picture.readUInt32BE(20)]).toEqual([720, 400]);
    const pid = (await findMachineProcess(uuid))!;
    const listening = await listeningSockets();
    expect((await openFiles(pid)).filter((file) => listening.includes(file))).toEqual([]);
    await hypervisor.powerOff(uuid);
    await hypervisor.undefine(uuid);
  });

  it('follows the serial port from what was said before, through a stop and a start', async () => {
    const hypervisor = fixture.hypervisor();
    const { uuid } = await makeMachine(hypervisor, fixture.directory());
    await bootGuest(hypervisor, uuid);
    const ending = new AbortController();
    let heard = '';
    const following = (async () => {
      for await (const bytes of hypervisor.followSerial(uuid, { signal: ending.signal }))
        heard += bytes.toString('latin1');
    })();
    await waitUntil('the past', () => heard.includes(bootSectorSays.ready));
    await hypervisor.shutdown(uuid);
    await waitUntil('the last word', () => heard.includes(bootSectorSays.bye));
    await waitUntil('its end', async () => (await hypervisor.status(uuid))?.state === 'shut_off');
    await hypervisor.start(uuid);
    await waitUntil('the second start', () => heard.split(bootSectorSays.ready).length === 3);
    ending.abort();
    await following;
    const { hello, bye } = bootSectorSays;
    expect(heard).toMatch(new RegExp(`${hello}[^]*${bye}[^]*${hello}`));
    await hypervisor.powerOff(uuid);
    await hypervisor.undefine(uuid);
  });

  it('hints at changes', async () => {
    const hypervisor = fixture.hypervisor();
    const { uuid } = await makeMachine(hypervisor, fixture.directory());
    let hints = 0;
    const stop = hypervisor.onChange(() => (hints += 1));
    await hypervisor.start(uuid);
    await waitUntil('a hint of the start', () => hints > 0);
    await waitForOutput(hypervisor, uuid, { words: bootSectorSays.ready });
    const before = hints;
    // The guest goes by itself: nobody called the driver.
    await hypervisor.shutdown(uuid);
    await waitUntil('a hint of the end', () => hints > before);
    stop();
    await waitUntil('its end', async () => (await hypervisor.status(uuid))?.state === 'shut_off');
    await hypervisor.undefine(uuid);
    expect(hints).toBeGreaterThan(1);
  });
}
