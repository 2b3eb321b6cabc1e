import { afterEach, describe, expect, it } from 'vitest';
import type { Snapshot } from '@wcc/progress';
import { createHub } from '../hub.ts';
import type { Hub, HubOptions } from '../hub.ts';
import { copyRecord, ended, moved, newId } from '../testkit/record.testkit.ts';

const hubs: Hub[] = [];
const errors: unknown[] = [];
const lost = { code: 'process_lost' };

function newHub(options: HubOptions = {}): Hub {
  const hub = createHub({ onError: (error) => errors.push(error), ...options });
  hubs.push(hub);
  return hub;
}

/** Snapshots that another hub makes of one operation: accepted, moved, ended. */
function foreignSnapshots(): { source: Hub; first: Snapshot; second: Snapshot; end: Snapshot } {
  const source = newHub();
  const record = copyRecord();
  const first = source.put(record);
  const second = source.put(moved(record, 400));
  return { source, first, second, end: source.put(ended(moved(record, 1000))) };
}

/** Every list of ids that the hub reports as changed. */
function changesOf(hub: Hub): string[][] {
  const changes: string[][] = [];
  hub.onChange((ids) => void changes.push([...ids]));
  return changes;
}

afterEach(() => {
  for (const hub of hubs.splice(0)) hub.close();
  errors.length = 0;
});

describe('relayed operations', () => {
  it('keep epoch, seq and bytes of the hub they come from', () => {
    const { source, end } = foreignSnapshots();
    const hub = newHub();
    hub.relay('b', [JSON.parse(JSON.stringify(end)) as Snapshot]);
    expect(hub.get(end.id)).toEqual(end);
    expect(hub.get(end.id)?.epoch).toBe(source.epoch);
    expect(hub.bytes(end.id)).toEqual(source.bytes(end.id));
    expect(hub.bytes(end.id, 'public')).toEqual(source.bytes(end.id, 'public'));
    expect([...hub.list()].map(({ id }) => id)).toEqual([end.id]);
    expect(hub.relayedFrom(end.id)).toBe('b');
    expect(source.relayedFrom(end.id)).toBeUndefined();
  });

  it('reach the listeners at once, while own changes wait for their tick', () => {
    const { first } = foreignSnapshots();
    const hub = newHub();
    const changes = changesOf(hub);
    hub.put(copyRecord());
    hub.relay('b', [first]);
    expect(changes).toEqual([[first.id]]);
  });

  it('ignore snapshots that arrive twice or late', () => {
    const { first, second } = foreignSnapshots();
    const hub = newHub();
    hub.relay('b', [second]);
    const changes = changesOf(hub);
    hub.relay('b', [second, first]);
    expect(hub.get(first.id)).toEqual(second);
    expect(changes).toEqual([]);
  });

  it('follow the newest epoch of their source, for example after its restart', () => {
    const record = copyRecord();
    const [before, after] = [newHub(), newHub()];
    before.put(record);
    const hub = newHub();
    hub.relay('b', [before.put(moved(record, 900))]);
    const adopted = after.put(moved(record, 500));
    hub.relay('b', [adopted]);
    expect(hub.get(record.id)).toEqual(adopted);
  });

  it('never change after their end, and another end is reported', () => {
    const { source, end, second } = foreignSnapshots();
    const hub = newHub();
    hub.relay('b', [end]);
    hub.relay('b', [{ ...end, seq: end.seq + 1, state: 'failed' }, second]);
    hub.relay('c', [{ ...second, epoch: newId() }]);
    expect(hub.get(end.id)).toEqual(end);
    expect(errors).toMatchObject([{ code: 'terminal_replaced' }, { code: 'terminal_replaced' }]);
    expect(source.get(end.id)).toEqual(end);
  });

  it('may be completed by their hub after their end', () => {
    const { end } = foreignSnapshots();
    const hub = newHub();
    hub.relay('b', [end]);
    const completed = { ...end, seq: end.seq + 1, result: { kind: 'image', id: 101 } };
    hub.relay('c', [{ ...completed, epoch: newId() }]);
    expect(hub.get(end.id)).toEqual(end);
    hub.relay('b', [completed]);
    expect(hub.get(end.id)).toEqual(completed);
    expect(errors).toEqual([]);
  });

  it('leave memory eleven minutes after this hub learned their end', () => {
    const clock = { ms: 0 };
    const { end } = foreignSnapshots();
    const hub = newHub({ now: () => clock.ms });
    hub.relay('b', [end]);
    const retired: string[] = [];
    hub.onRetire((ids) => retired.push(...ids));
    clock.ms = 11 * 60_000 - 1;
    hub.retire();
    expect(hub.get(end.id)).toEqual(end);
    clock.ms += 1;
    hub.retire();
    expect(retired).toEqual([end.id]);
    expect(hub.get(end.id)).toBeUndefined();
  });

  it('are removed by gone as own operations are', () => {
    const { first } = foreignSnapshots();
    const hub = newHub();
    hub.relay('b', [first]);
    const gone: string[] = [];
    hub.onRemove((id, why) => gone.push(`${id} ${why}`));
    hub.remove(first.id, 'deleted');
    expect(gone).toEqual([`${first.id} deleted`]);
    expect(hub.get(first.id)).toBeUndefined();
    expect(hub.bytes(first.id)).toBeUndefined();
  });

  it('are refused by a closed hub', () => {
    const { first } = foreignSnapshots();
    const hub = newHub();
    hub.close();
    expect(() => hub.relay('b', [first])).toThrow(expect.objectContaining({ code: 'hub_closed' }));
  });
});

describe('operations that two hubs claim', () => {
  it('stay with the hub that works on them', () => {
    const record = copyRecord();
    const [hub, other] = [newHub(), newHub()];
    const own = hub.put(record);
    hub.relay('b', [other.put(moved(record, 700))]);
    expect(hub.get(record.id)).toEqual(own);
    expect(hub.relayedFrom(record.id)).toBeUndefined();
  });

  it('stay with the source that reached this hub first', () => {
    const record = copyRecord();
    const [b, c, hub] = [newHub(), newHub(), newHub()];
    const first = b.put(record);
    hub.relay('b', [first]);
    hub.relay('c', [c.put(moved(record, 700))]);
    expect(hub.get(record.id)).toEqual(first);
    expect(hub.relayedFrom(record.id)).toBe('b');
  });

  it('pass to the hub that continues an interrupted one, and stop their own readings', () => {
    const record = copyRecord();
    const [hub, other] = [newHub(), newHub()];
    const interrupted = { ...record, state: 'interrupted' } as const;
    let reads = 0;
    hub.pull(record.id, () => {
      reads += 1;
      return interrupted;
    });
    hub.flush();
    const continued = other.put(moved(record, 700));
    hub.relay('b', [continued]);
    hub.flush();
    expect(reads).toBe(1);
    expect(hub.get(record.id)).toEqual(continued);
    expect(hub.put(interrupted)).toEqual(continued);
  });

  it('return to this hub by put, with a seq that continues its own', () => {
    const record = copyRecord();
    const [hub, other] = [newHub(), newHub()];
    hub.put(record);
    hub.put(moved(record, 100));
    const last = hub.put({ ...moved(record, 100), state: 'interrupted' });
    hub.relay('b', [other.put(moved(record, 700))]);
    hub.markUnreachable('b', lost);
    const again = hub.put(moved(record, 300));
    expect(again).toMatchObject({ epoch: hub.epoch, seq: last.seq + 1, state: 'running' });
    expect(hub.relayedFrom(record.id)).toBeUndefined();
    hub.markUnreachable('b', lost);
    expect(hub.get(record.id)).toEqual(again);
  });

  it('keep the end that another hub reached', () => {
    const record = copyRecord();
    const [hub, other] = [newHub(), newHub()];
    const end = other.put(ended(record));
    hub.relay('b', [end]);
    expect(hub.put(record)).toEqual(end);
    expect(hub.get(record.id)).toEqual(end);
  });
});

describe('operations of an unreachable hub', () => {
  it('become interrupted with the reason, without rate, ETA and queue position', () => {
    const { second } = foreignSnapshots();
    const hub = newHub();
    hub.relay('b', [{ ...second, rate: 20, etaMs: 5000, etaAbsence: null, queuePosition: 2 }]);
    const changes = changesOf(hub);
    hub.markUnreachable('b', lost);
    const { epoch: _epoch, seq: _seq, at: _at, ...rest } = second;
    expect(hub.get(second.id)).toMatchObject({
      ...rest,
      state: 'interrupted',
      stateReason: lost,
      rate: null,
      etaMs: null,
      etaAbsence: 'not_running',
      queuePosition: null,
      stalled: false,
    });
    expect(changes).toEqual([[second.id]]);
    expect(JSON.parse(String(hub.bytes(second.id)))).toMatchObject({ state: 'interrupted' });
  });

  it('have a version that clients accept, as does the same snapshot when it returns', () => {
    const { second } = foreignSnapshots();
    const hub = newHub();
    hub.relay('b', [second]);
    const epochs = [hub.get(second.id)?.epoch];
    hub.markUnreachable('b', lost);
    epochs.push(hub.get(second.id)?.epoch);
    hub.relay('b', [second]);
    epochs.push(hub.get(second.id)?.epoch);
    hub.markUnreachable('b', lost);
    expect(epochs).toEqual([second.epoch, expect.not.stringContaining(second.epoch), second.epoch]);
    expect(new Set([...epochs, hub.epoch]).size).toBe(3);
    expect(hub.get(second.id)).toMatchObject({ epoch: epochs[1], seq: 2 });
  });

  it('are those of this source alone, and never ended ones', () => {
    const [running, finished, other] = [foreignSnapshots(), foreignSnapshots(), foreignSnapshots()];
    const hub = newHub();
    hub.relay('b', [running.first, finished.end]);
    hub.relay('c', [other.first]);
    const own = hub.put(copyRecord());
    hub.markUnreachable('b', lost);
    const stateOf = (id: string): unknown => hub.get(id)?.state;
    expect([running.first, finished.end, other.first, own].map(({ id }) => stateOf(id))).toEqual([
      'interrupted',
      'succeeded',
      'running',
      'running',
    ]);
  });

  it('change once for one reason, and again for another', () => {
    const { first } = foreignSnapshots();
    const hub = newHub();
    hub.relay('b', [first]);
    const changes = changesOf(hub);
    hub.markUnreachable('b', lost);
    hub.markUnreachable('b', lost);
    hub.markUnreachable('b', { code: 'process_unreachable' });
    expect(changes).toHaveLength(2);
    expect(hub.get(first.id)?.stateReason).toEqual({ code: 'process_unreachable' });
  });

  it('stay interrupted when an older snapshot arrives late', () => {
    const { first, second } = foreignSnapshots();
    const hub = newHub();
    hub.relay('b', [second]);
    hub.markUnreachable('b', lost);
    hub.relay('b', [first]);
    expect(hub.get(first.id)?.state).toBe('interrupted');
  });

  it('pass to another source that has them', () => {
    const record = copyRecord();
    const [b, c, hub] = [newHub(), newHub(), newHub()];
    hub.relay('b', [b.put(moved(record, 900))]);
    hub.markUnreachable('b', lost);
    const taken = c.put(moved(record, 500));
    hub.relay('c', [taken]);
    hub.markUnreachable('b', lost);
    expect(hub.get(record.id)).toEqual(taken);
    expect(hub.relayedFrom(record.id)).toBe('c');
  });

  it('leave memory after a day', () => {
    const clock = { ms: 0 };
    const { first } = foreignSnapshots();
    const hub = newHub({ now: () => clock.ms });
    hub.relay('b', [first]);
    hub.markUnreachable('b', lost);
    clock.ms = 24 * 3_600_000 - 1;
    hub.retire();
    expect(hub.get(first.id)?.state).toBe('interrupted');
    clock.ms += 1;
    hub.retire();
    expect(hub.get(first.id)).toBeUndefined();
  });
});
