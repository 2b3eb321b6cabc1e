import { describe, expect, it } from 'vitest';
import { copyRecord } from '../testkit/record.testkit.ts';
import { createBus, seeded } from './bus.testkit.ts';
import { pass, startProcess, stateOf, useProcesses } from './processes.testkit.ts';

useProcesses();

describe('actions through a bridge', () => {
  const acted = async (call: Promise<unknown>): Promise<unknown> => {
    const settled = call.catch((error: unknown) => error);
    await pass(11_000);
    return settled;
  };

  it('reach the owner once though messages are lost and repeated, and bring its answer', async () => {
    const bus = createBus(seeded(11));
    const calls: unknown[][] = [];
    const a = startProcess(bus, {
      onAction: ({ id }, verb, by) => {
        calls.push([id, verb, by]);
        return { accepted: true };
      },
    });
    const b = startProcess(bus);
    const record = copyRecord();
    a.hub.put(record);
    await pass(3000);
    bus.faults = { lost: 0.4, repeated: 0.5, late: 0.3 };
    expect(await acted(b.bridge.act(record.id, 'cancel', { user: 'ann' }))).toEqual({ accepted: true });
    expect(calls).toEqual([[record.id, 'cancel', { user: 'ann' }]]);
  });

  it('on an operation of the own process call its own onAction', async () => {
    const bus = createBus();
    const a = startProcess(bus, { onAction: (_snapshot, verb) => verb });
    const record = copyRecord();
    a.hub.put(record);
    expect(await acted(a.bridge.act(record.id, 'pause'))).toBe('pause');
  });

  it('without onAction cancel what hub.run runs in another process', async () => {
    const bus = createBus();
    const [a, b] = [startProcess(bus), startProcess(bus)];
    const work = a.hub.run(
      { action: 'count', owner: 'ann' },
      ({ signal }) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    );
    const failed = work.catch((error: unknown) => error);
    await pass(200);
    const [running] = [...b.hub.list()];
    if (running === undefined) throw new Error('The operation was not relayed.');
    expect(await acted(b.bridge.act(running.id, 'cancel'))).toBeNull();
    expect(await failed).toMatchObject({ name: 'AbortError' });
    expect(stateOf(b.hub, running)).toBe('cancelled');
  });

  it('are refused with the reason of the owner', async () => {
    const bus = createBus();
    const refusal = Object.assign(new Error('It has ended.'), { code: 'ended' });
    const a = startProcess(bus, { onAction: () => Promise.reject(refusal) });
    const b = startProcess(bus);
    const record = copyRecord();
    a.hub.put(record);
    await pass(200);
    const error = await acted(b.bridge.act(record.id, 'cancel'));
    expect(error).toMatchObject({
      code: 'action_failed',
      message: expect.stringContaining('ended: It has ended.'),
    });
  });

  it('are refused for an unknown operation, without onAction, and while the owner is lost', async () => {
    const bus = createBus();
    const [a, b] = [startProcess(bus), startProcess(bus)];
    const record = copyRecord();
    a.hub.put(record);
    await pass(3000);
    expect(await acted(b.bridge.act(copyRecord().id, 'cancel'))).toMatchObject({ code: 'unknown_operation' });
    expect(await acted(a.bridge.act(record.id, 'cancel'))).toMatchObject({ code: 'no_action_handler' });
    expect(await acted(b.bridge.act(record.id, 'cancel'))).toMatchObject({
      code: 'action_failed',
      message: expect.stringContaining('no_action_handler'),
    });
    a.transport.isCut = true;
    expect(await acted(b.bridge.act(record.id, 'cancel'))).toMatchObject({ code: 'action_unanswered' });
    await pass(5000);
    const atOnce = b.bridge.act(record.id, 'cancel').catch((error: unknown) => error);
    expect(await atOnce).toMatchObject({ code: 'action_unanswered' });
  });
});
