import { describe, expect, it } from 'vitest';
import { copyRecord, ended, moved } from '../testkit/record.testkit.ts';
import { createBus, noFaults, seeded } from './bus.testkit.ts';
import { clock, pass, startProcess, stateOf, useProcesses } from './processes.testkit.ts';
import type { Process } from './processes.testkit.ts';

useProcesses();

describe('bridge to a process that stops', () => {
  it('shows its running operations as interrupted by process_lost ten seconds after it dies', async () => {
    const bus = createBus();
    const [a, b] = [startProcess(bus, { name: 'worker' }), startProcess(bus)];
    const [running, finished] = [copyRecord(), copyRecord()];
    a.hub.put(running);
    a.hub.put(ended(finished));
    await pass(3000);
    a.transport.isCut = true;
    await pass(7900);
    expect(stateOf(b.hub, running)).toBe('running');
    await pass(5000);
    expect(b.hub.get(running.id)).toMatchObject({
      state: 'interrupted',
      stateReason: { code: 'process_lost' },
      rate: null,
    });
    expect(stateOf(b.hub, finished)).toBe('succeeded');
    expect(b.bridge.processes).toEqual([{ id: a.bridge.id, name: 'worker', state: 'lost' }]);
  });

  it('asks once more before it gives up a process that it does not hear', async () => {
    const bus = createBus();
    const [a, b] = [startProcess(bus), startProcess(bus)];
    a.hub.put(copyRecord());
    await pass(3000);
    a.transport.isCut = true;
    bus.published.length = 0;
    await pass(9000);
    const asked = bus.published.filter((text) => text.includes('"t":"ask"') && text.includes(b.bridge.id));
    expect(asked.length).toBeGreaterThan(0);
    expect(asked[0]).toContain(`"of":"${a.bridge.id}"`);
  });

  it('shows the true state again when the process returns', async () => {
    const bus = createBus();
    const [a, b] = [startProcess(bus), startProcess(bus)];
    const record = copyRecord();
    a.hub.put(record);
    await pass(3000);
    a.transport.isCut = true;
    await pass(20_000);
    expect([stateOf(b.hub, record), stateOf(a.hub, record)]).toEqual(['interrupted', 'running']);
    const now = a.hub.put(moved(record, 800));
    a.transport.isCut = false;
    await pass(4000);
    expect(b.hub.get(record.id)).toEqual(now);
    expect(b.bridge.processes).toMatchObject([{ state: 'live' }]);
  });

  it('says process_unreachable while the transport itself is down, and nothing after a short cut', async () => {
    const bus = createBus();
    const [a, b] = [startProcess(bus), startProcess(bus)];
    const record = copyRecord();
    a.hub.put(record);
    await pass(3000);
    bus.faults = { ...noFaults, lost: 1 };
    await pass(6000);
    bus.faults = noFaults;
    await pass(6000);
    expect(stateOf(b.hub, record)).toBe('running');
    bus.faults = { ...noFaults, lost: 1 };
    await pass(16_000);
    expect(b.hub.get(record.id)?.stateReason).toEqual({ code: 'process_unreachable' });
    bus.faults = noFaults;
    await pass(4000);
    expect(b.hub.get(record.id)).toEqual(a.hub.get(record.id));
  });

  it('says process_lost for a process that died while the transport was down', async () => {
    const bus = createBus();
    const [a, b] = [startProcess(bus), startProcess(bus)];
    const record = copyRecord();
    a.hub.put(record);
    await pass(3000);
    bus.faults = { ...noFaults, lost: 1 };
    a.transport.isCut = true;
    await pass(20_000);
    bus.faults = noFaults;
    await pass(9000);
    expect(b.hub.get(record.id)?.stateReason).toEqual({ code: 'process_unreachable' });
    await pass(6000);
    expect(b.hub.get(record.id)?.stateReason).toEqual({ code: 'process_lost' });
  });

  it.each([true, false])('judges no process after it stood still itself (echo: %s)', async (echo) => {
    const bus = createBus();
    const [a, b] = [startProcess(bus, { echo }), startProcess(bus, { echo })];
    const record = copyRecord();
    a.hub.put(record);
    await pass(3000);
    const states: unknown[] = [];
    b.hub.onChange(() => states.push(stateOf(b.hub, record)));
    // Time passes without any timer, as while the process is stopped.
    clock.offsetMs = 60_000;
    await pass(12_000);
    clock.offsetMs = 0;
    expect(states).toEqual([]);
    expect(stateOf(b.hub, record)).toBe('running');
  });

  it('shows what a process left unfinished at once when it closes, and its last end', async () => {
    const bus = createBus();
    const [a, b] = [startProcess(bus), startProcess(bus)];
    const [unfinished, finished] = [copyRecord(), copyRecord()];
    a.hub.put(unfinished);
    a.hub.put(finished);
    await pass(3000);
    const end = a.hub.put(ended(finished));
    const closed = a.bridge.close();
    await pass(500);
    await closed;
    expect(b.hub.get(finished.id)).toEqual(end);
    expect(b.hub.get(unfinished.id)?.stateReason).toEqual({ code: 'process_lost' });
    expect(b.bridge.processes).toMatchObject([{ state: 'left' }]);
  });

  it('waits at its close until the others have its last end, though messages are lost', async () => {
    const bus = createBus(seeded(7));
    const [a, b] = [startProcess(bus), startProcess(bus)];
    const record = copyRecord();
    a.hub.put(record);
    await pass(3000);
    bus.faults = { lost: 0.5, repeated: 0.2, late: 0.2 };
    const end = a.hub.put(ended(record));
    const closed = a.bridge.close();
    await pass(3000);
    await closed;
    expect(b.hub.get(record.id)).toEqual(end);
  });

  it('continues what a stopped process left, under the same id', async () => {
    const bus = createBus();
    const [a, b, c] = [startProcess(bus), startProcess(bus), startProcess(bus)];
    const record = copyRecord();
    a.hub.put(moved(record, 700));
    await pass(3000);
    a.transport.isCut = true;
    await pass(15_000);
    const taken = b.hub.put(moved(record, 300));
    await pass(200);
    expect(c.hub.get(record.id)).toEqual(taken);
    a.transport.isCut = false;
    await pass(4000);
    expect(c.hub.get(record.id)).toEqual(b.hub.get(record.id));
    expect(c.hub.relayedFrom(record.id)).toBe(b.bridge.id);
  });

  it('lets another process start what a dead one left, and no process start what another one runs', async () => {
    const bus = createBus();
    const [a, b] = [startProcess(bus), startProcess(bus)];
    const left = a.hub.start({ action: 'count', owner: 'ann' });
    await pass(3000);
    const options = { id: left.id, action: 'count', owner: 'ann' };
    expect(() => b.hub.start(options)).toThrow(expect.objectContaining({ code: 'operation_exists' }));
    a.transport.isCut = true;
    await pass(13_000);
    const taken = b.hub.start(options);
    taken.succeed();
    expect(b.hub.get(left.id)).toMatchObject({ state: 'succeeded', epoch: b.hub.epoch });
    expect(b.hub.relayedFrom(left.id)).toBeUndefined();
  });

  it('distinguishes two processes of the same name', async () => {
    const bus = createBus();
    const [a, b, c] = ['web', 'web', 'web'].map((name) => startProcess(bus, { name })) as [
      Process,
      Process,
      Process,
    ];
    const [one, two] = [copyRecord(), copyRecord()];
    a.hub.put(one);
    b.hub.put(two);
    await pass(3000);
    a.transport.isCut = true;
    await pass(13_000);
    expect([stateOf(c.hub, one), stateOf(c.hub, two)]).toEqual(['interrupted', 'running']);
    expect(c.bridge.processes.map(({ name, state }) => `${name} ${state}`)).toEqual(['web lost', 'web live']);
  });

  it('works over a transport that does not send to the sender', async () => {
    const bus = createBus();
    const [a, b, c] = [0, 1, 2].map(() => startProcess(bus, { echo: false })) as [Process, Process, Process];
    const record = copyRecord();
    a.hub.put(record);
    await pass(3000);
    a.transport.isCut = true;
    await pass(13_000);
    for (const { hub } of [b, c]) expect(hub.get(record.id)?.stateReason).toEqual({ code: 'process_lost' });
  });
});
