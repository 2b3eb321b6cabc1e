import { describe, expect, it } from 'vitest';
import type { Snapshot } from '../core/snapshot.ts';
import { sampleSnapshot } from '../testing/sample-snapshot.ts';
import { Subscriptions } from './subscriptions.ts';

const { id } = sampleSnapshot();

function create(): { subscriptions: Subscriptions; live: (snapshot: Partial<Snapshot>) => void } {
  const subscriptions = new Subscriptions({
    now: () => 0,
    scale: 1,
    send: () => undefined,
    onError: (error) => {
      throw error;
    },
  });
  subscriptions.opened(true);
  const live = (changes: Partial<Snapshot>): void =>
    subscriptions.receive({ t: 'ops', d: [sampleSnapshot(changes)] });
  return { subscriptions, live };
}

/** What the client holds after a snapshot over the connection and one by HTTP. */
function heldAfter(live: Partial<Snapshot>, offered: Partial<Snapshot>, isReconnected = false): string {
  const { subscriptions, live: receive } = create();
  receive(live);
  if (isReconnected) subscriptions.opened(true);
  subscriptions.offer(sampleSnapshot(offered));
  const { epoch, seq, state } = subscriptions.get(id)!;
  return `${epoch}:${seq} ${state}`;
}

describe('a snapshot offered from an HTTP answer', () => {
  it('replaces an older one of its epoch, never a newer one', () => {
    expect(heldAfter({ epoch: 'owner', seq: 5 }, { epoch: 'owner', seq: 6 })).toBe('owner:6 running');
    expect(heldAfter({ epoch: 'owner', seq: 5 }, { epoch: 'owner', seq: 4 })).toBe('owner:5 running');
  });

  it('from the database replaces a live one of any epoch only when it is an end', () => {
    const stored = { epoch: 'stored', seq: 900 };
    expect(heldAfter({ epoch: 'relayed', seq: 5 }, stored)).toBe('relayed:5 running');
    expect(heldAfter({ epoch: 'relayed', seq: 5 }, stored, true)).toBe('relayed:5 running');
    expect(heldAfter({ epoch: 'relayed', seq: 5 }, { ...stored, state: 'succeeded' })).toBe(
      'stored:900 succeeded',
    );
  });

  it('of another epoch does not replace what came over the present connection', () => {
    expect(heldAfter({ epoch: 'new', seq: 1 }, { epoch: 'old', seq: 99 })).toBe('new:1 running');
  });

  it('of another epoch replaces what came over an earlier connection', () => {
    expect(heldAfter({ epoch: 'old', seq: 99 }, { epoch: 'new', seq: 1 }, true)).toBe('new:1 running');
  });

  it('that is confirmed as current by the connection counts as received over it', () => {
    const { subscriptions, live } = create();
    live({ epoch: 'old', seq: 3 });
    subscriptions.opened(true);
    subscriptions.receive({ t: 'ok', id: 1, res: [{ op: id, cur: true }] });
    subscriptions.offer(sampleSnapshot({ epoch: 'older', seq: 99 }));
    expect(subscriptions.get(id)?.epoch).toBe('old');
  });

  it('does not take back an end', () => {
    expect(heldAfter({ epoch: 'e1', seq: 9, state: 'failed' }, { epoch: 'e2', seq: 1 }, true)).toBe(
      'e1:9 failed',
    );
    expect(heldAfter({ epoch: 'stored', seq: 9, state: 'failed' }, { epoch: 'e2', seq: 1 }, true)).toBe(
      'stored:9 failed',
    );
  });

  it('is taken when the client holds nothing, also from the database', () => {
    const { subscriptions } = create();
    subscriptions.offer(sampleSnapshot({ epoch: 'stored', seq: 2, state: 'running' }));
    expect(subscriptions.get(id)?.epoch).toBe('stored');
    subscriptions.offer(sampleSnapshot({ epoch: 'live', seq: 1 }));
    expect(subscriptions.get(id)?.epoch).toBe('live');
  });
});

it('the client forgets the oldest ended operations beyond 2000, but no running or watched one', () => {
  const { subscriptions } = create();
  subscriptions.watch('watched', () => undefined);
  for (const ended of ['watched', 'ended'])
    subscriptions.offer(sampleSnapshot({ id: ended, state: 'succeeded' }));
  subscriptions.offer(sampleSnapshot({ id: 'running' }));
  for (let number = 0; number < 2500; number += 1)
    subscriptions.offer(sampleSnapshot({ id: `ended${number}`, state: 'succeeded' }));
  const known = (...ids: string[]): boolean[] => ids.map((each) => subscriptions.get(each) !== undefined);
  expect(known('running', 'watched', 'ended2499', 'ended502')).toEqual([true, true, true, true]);
  expect(known('ended', 'ended0', 'ended501')).toEqual([false, false, false]);
});
