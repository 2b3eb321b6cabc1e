import { describe, expect, it } from 'vitest';
import { copyRecord, ended } from '../testkit/record.testkit.ts';
import { createBus } from './bus.testkit.ts';
import { byId, pass, startProcess, stateOf, useProcesses } from './processes.testkit.ts';

useProcesses();

describe('removal through a bridge', () => {
  it('passes on a removal, also to a process that missed it', async () => {
    const bus = createBus();
    const [a, b, c] = [startProcess(bus), startProcess(bus), startProcess(bus)];
    const record = copyRecord();
    a.hub.put(record);
    await pass(200);
    c.transport.isCut = true;
    const gone: string[] = [];
    b.hub.onRemove((id, why) => gone.push(`${id} ${why}`));
    a.hub.remove(record.id, 'revoked');
    await pass(200);
    expect(gone).toEqual([`${record.id} revoked`]);
    expect(b.hub.get(record.id)).toBeUndefined();
    expect(stateOf(c.hub, record)).toBe('running');
    c.transport.isCut = false;
    await pass(4000);
    expect(c.hub.get(record.id)).toBeUndefined();
  });

  it('does not bring a removed operation back when a message from before arrives late', async () => {
    const bus = createBus();
    const [a, b] = [startProcess(bus), startProcess(bus)];
    const record = copyRecord();
    a.hub.put(record);
    await pass(200);
    const early = bus.published.filter((text) => text.includes(record.id));
    expect(early).toHaveLength(1);
    a.hub.remove(record.id, 'deleted');
    await pass(200);
    for (const text of early) void bus.transport().publish(text);
    await pass(200);
    expect(b.hub.get(record.id)).toBeUndefined();
  });

  it('removes what its owner removed, after the owner forgot about it', async () => {
    const bus = createBus();
    const [a, b] = [startProcess(bus), startProcess(bus)];
    const [removed, kept, finished] = [copyRecord(), copyRecord(), copyRecord()];
    for (const each of [removed, kept, ended(finished)]) a.hub.put(each);
    await pass(200);
    b.transport.isCut = true;
    a.hub.remove(removed.id, 'deleted');
    for (let index = 0; index <= 10_000; index += 1) {
      const { id } = a.hub.put(copyRecord());
      a.hub.flush();
      a.hub.remove(id, 'deleted');
    }
    await pass(1000);
    b.transport.isCut = false;
    await pass(10_000);
    expect([...byId(b.hub).keys()].toSorted()).toEqual([kept.id, finished.id].toSorted());
  });

  it('removes an operation at its owner when another process removes it', async () => {
    const bus = createBus();
    const [a, b, c] = [startProcess(bus), startProcess(bus), startProcess(bus)];
    const record = copyRecord();
    a.hub.put(ended(record));
    await pass(200);
    b.hub.remove(record.id, 'deleted');
    await pass(200);
    expect([a, b, c].map(({ hub }) => hub.get(record.id))).toEqual([undefined, undefined, undefined]);
  });
});
