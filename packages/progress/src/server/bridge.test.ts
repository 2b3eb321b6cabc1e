import { describe, expect, it } from 'vitest';
import { createBridge } from './bridge.ts';
import { createBus } from './bridge/bus.testkit.ts';
import { byId, pass, startProcess, stateOf, useProcesses } from './bridge/processes.testkit.ts';
import type { Process } from './bridge/processes.testkit.ts';
import { createHub } from './hub.ts';
import { copyRecord, ended, moved } from './testkit/record.testkit.ts';

useProcesses();

describe('bridge', () => {
  it('shows an operation of one process in the others within a tick, with its epoch and bytes', async () => {
    const bus = createBus();
    const [a, b, c] = [startProcess(bus), startProcess(bus), startProcess(bus)];
    await pass(0);
    const record = copyRecord();
    a.hub.put(record);
    await pass(110);
    for (const { hub } of [b, c]) {
      expect(hub.get(record.id)).toEqual(a.hub.get(record.id));
      expect(hub.bytes(record.id)).toEqual(a.hub.bytes(record.id));
      expect(hub.relayedFrom(record.id)).toBe(a.bridge.id);
    }
    a.hub.put(ended(moved(record, 1000)));
    await pass(110);
    expect(byId(b.hub)).toEqual(byId(a.hub));
    expect(stateOf(c.hub, record)).toBe('succeeded');
    expect(bus.published.filter((text) => text.includes('"t":"ops"'))).toHaveLength(2);
  });

  it('shows an operation with an id of the host, and its removal, in the other processes', async () => {
    const bus = createBus();
    const [a, b] = [startProcess(bus), startProcess(bus)];
    await pass(0);
    a.hub.put(copyRecord({ id: 'job "42"' }));
    await pass(110);
    expect(b.hub.get('job "42"')).toEqual(a.hub.get('job "42"'));
    a.hub.remove('job "42"', 'deleted');
    await pass(110);
    expect(b.hub.get('job "42"')).toBeUndefined();
  });

  it('gives a process that starts later everything that runs and what has ended', async () => {
    const bus = createBus();
    const a = startProcess(bus);
    const [running, finished] = [copyRecord(), copyRecord()];
    a.hub.put(running);
    a.hub.put(ended(finished));
    await pass(60_000);
    const late = startProcess(bus);
    await pass(10);
    expect(byId(late.hub)).toEqual(byId(a.hub));
  });

  it('takes over what the hub had before the bridge', async () => {
    const bus = createBus();
    const b = startProcess(bus);
    const hub = createHub();
    const record = copyRecord();
    hub.put(record);
    const bridge = createBridge(hub, bus.transport());
    await pass(200);
    expect(b.hub.get(record.id)).toEqual(hub.get(record.id));
    const closed = bridge.close();
    await pass(3000);
    await closed;
    hub.close();
  });

  it('does not send operations of others back', async () => {
    const bus = createBus();
    const [a, b] = [startProcess(bus), startProcess(bus)];
    a.hub.put(copyRecord());
    await pass(5000);
    const sentBy = ({ bridge }: Process): number =>
      bus.published.filter((text) => text.includes(`"from":"${bridge.id}"`) && text.includes('"t":"ops"'))
        .length;
    expect(sentBy(b)).toBe(0);
    expect(sentBy(a)).toBeGreaterThan(0);
  });

  it('splits many operations into messages of at most 128 KiB', async () => {
    const bus = createBus();
    const [a, b] = [startProcess(bus), startProcess(bus)];
    for (let index = 0; index < 500; index += 1) a.hub.put(copyRecord({ label: 'x'.repeat(800) }));
    await pass(300);
    expect(byId(b.hub)).toEqual(byId(a.hub));
    const longest = Math.max(...bus.published.map((text) => Buffer.byteLength(text)));
    expect(longest).toBeLessThan(128 * 1024);
    expect(longest).toBeGreaterThan(32 * 1024);
  });

  it('holds the newest state only while the transport is slow', async () => {
    const bus = createBus();
    const [a, b] = [startProcess(bus), startProcess(bus)];
    await pass(100);
    const record = copyRecord();
    a.hub.put(record);
    await pass(200);
    a.transport.isSlow = true;
    for (let done = 1; done <= 300; done += 1) {
      a.hub.put(moved(record, done));
      await pass(100);
    }
    const before = bus.published.length;
    a.transport.isSlow = false;
    await pass(100);
    const sent = bus.published.slice(before).filter((text) => text.includes('"t":"ops"'));
    // The one on its way, the newest, and one of the tick after it.
    expect(sent.length).toBeLessThanOrEqual(3);
    expect(b.hub.get(record.id)).toEqual(a.hub.get(record.id));
  });
});
