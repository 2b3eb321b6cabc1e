import { describe, expect, it } from 'vitest';
import { copyRecord } from '../testkit/record.testkit.ts';
import { createBus } from './bus.testkit.ts';
import { pass, startProcess, useProcesses } from './processes.testkit.ts';

useProcesses();

describe('bridge messages', () => {
  it('of another version or another program are ignored and reported once', async () => {
    const bus = createBus();
    const a = startProcess(bus);
    await pass(100);
    const stranger = bus.transport();
    const texts = [
      'not json',
      '7',
      '{"t":"hb"}',
      '{"v":2,"t":"hb"}',
      '{"v":2,"t":"hb"}',
      '{"v":1,"from":"x","name":"","t":"toString"}',
      '{"v":1,"from":"x","name":"","t":"ops","after":0,"upTo":1,"at":1,"horizon":0,"gone":[],"d":[{}]}',
    ];
    for (const text of texts) void stranger.publish(text);
    await pass(100);
    expect(a.errors).toMatchObject([{ code: 'bridge_message' }, { code: 'bridge_version' }]);
    expect([...a.hub.list()]).toEqual([]);
    expect(a.bridge.processes).toEqual([]);
  });

  it('that cannot be published are reported once, and the newest state is sent later', async () => {
    const bus = createBus();
    const b = startProcess(bus);
    let isBroken = false;
    const a = startProcess(bus, {
      through: (inner) => ({
        publish: (text) => (isBroken ? Promise.reject(new Error('refused')) : inner.publish(text)),
        subscribe: (receive) => inner.subscribe(receive),
      }),
    });
    await pass(100);
    isBroken = true;
    const record = copyRecord();
    a.hub.put(record);
    await pass(6000);
    expect(a.errors).toEqual([new Error('refused')]);
    isBroken = false;
    await pass(4000);
    expect(b.hub.get(record.id)).toEqual(a.hub.get(record.id));
  });

  it('are subscribed to again after failures, and only the first failure is reported', async () => {
    const bus = createBus();
    const b = startProcess(bus);
    let tries = 0;
    const a = startProcess(bus, {
      through: (inner) => ({
        publish: (text) => inner.publish(text),
        subscribe: (receive) => {
          tries += 1;
          if (tries < 3) throw new Error('no connection');
          return inner.subscribe(receive);
        },
      }),
    });
    const record = copyRecord();
    b.hub.put(record);
    await pass(5000);
    expect(a.errors).toEqual([new Error('no connection')]);
    expect(a.hub.get(record.id)).toEqual(b.hub.get(record.id));
  });
});
