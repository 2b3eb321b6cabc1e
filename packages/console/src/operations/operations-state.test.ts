import { describe, expect, it } from 'vitest';
import { stableOrder } from '../ui/stable-order.ts';
import { activeOf, endedOf, pendingImages } from './groups.ts';
import { createFakeLive, entryOf, snapshotOf } from './operations-state.testkit.ts';
import { OperationsState } from './operations-state.ts';

function open() {
  const live = createFakeLive();
  const state = new OperationsState(live.client);
  let changes = 0;
  state.changed.listen(() => (changes += 1));
  return { live, state, changes: () => changes };
}

describe('OperationsState', () => {
  it('reports progress only to listeners of that operation, and changes of state to all', () => {
    const { live, state, changes } = open();
    let heard = 0;
    state.listen('a', () => (heard += 1));
    live.push(snapshotOf());
    live.push(snapshotOf({ seq: 2 }));
    live.push(snapshotOf({ seq: 3, state: 'paused' }));
    expect([heard, changes()]).toEqual([3, 2]);
  });

  it('marks a running operation as unknown when it is gone, keeps history, and removes revoked ones', () => {
    const { live, state } = open();
    live.push(snapshotOf());
    live.push(snapshotOf({ id: 'done', state: 'succeeded' }));
    live.push(snapshotOf({ id: 'mine' }));
    live.gone('a', 'not_found');
    live.gone('done', 'not_found');
    live.gone('mine', 'revoked');
    expect(state.get('a')?.isUnknown).toBe(true);
    expect(state.get('done')?.isUnknown).toBe(false);
    expect(state.get('mine')).toBeUndefined();
  });

  it("shows only the user's actions and revocations while paused, then the latest updates", () => {
    const { live, state } = open();
    for (const id of ['a', 'b', 'c', 'd']) live.push(snapshotOf({ id }));
    let calls = 0;
    state.listenAll(() => (calls += 1));
    state.pause();
    for (const seq of [2, 3, 4]) live.push(snapshotOf({ seq }));
    live.push(snapshotOf({ id: 'new' }));
    live.push(snapshotOf({ id: 'b', seq: 2 }));
    live.gone('c', 'revoked');
    live.gone('d', 'not_found');
    state.offer({ ...snapshotOf({ id: 'b', seq: 3, state: 'cancelling' }) });
    expect(state.get('a')?.snapshot.seq).toBe(1);
    expect(state.get('b')?.snapshot.state).toBe('cancelling');
    expect([state.get('c'), state.get('new')]).toEqual([undefined, undefined]);
    expect([state.get('d')?.isUnknown, calls]).toEqual([false, 1]);
    state.resume();
    expect(state.get('a')?.snapshot.seq).toBe(4);
    expect(state.get('b')?.snapshot.seq).toBe(3);
    expect([state.get('new')?.snapshot.id, state.get('d')?.isUnknown, calls]).toEqual(['new', true, 4]);
  });

  it('distinguishes history from operations that ended while the page was open', () => {
    const { live, state } = open();
    live.push(snapshotOf({ id: 'fresh', state: 'failed', endedAt: '2026-01-01T10:00:00.000Z' }));
    state.offer(snapshotOf({ id: 'old', state: 'failed', endedAt: '2026-01-01T09:00:00.000Z' }));
    expect(pendingImages(state.all, () => false).map(({ snapshot }) => snapshot.id)).toEqual(['fresh']);
  });
});

describe('groups of operations', () => {
  const entries = [
    entryOf({ id: 'late', createdAt: '2026-01-01T10:00:02.000Z' }),
    entryOf({ id: 'early', createdAt: '2026-01-01T10:00:01.000Z' }),
    entryOf({
      id: 'first-end',
      state: 'succeeded',
      endedAt: '2026-01-01T10:01:00.000Z',
      result: { kind: 'image', id: 7 },
    }),
    entryOf({ id: 'last-end', state: 'failed', endedAt: '2026-01-01T10:02:00.000Z' }),
  ];
  const ids = (list: typeof entries) => list.map(({ snapshot }) => snapshot.id);

  it('list running operations from the oldest and ended ones from the newest', () => {
    expect(ids(activeOf(entries))).toEqual(['early', 'late']);
    expect(ids(endedOf(entries))).toEqual(['last-end', 'first-end']);
  });

  it('list pending images whose operation runs, failed, or whose image is not loaded yet', () => {
    expect(ids(pendingImages(entries, () => false))).toEqual(['early', 'late', 'first-end', 'last-end']);
    expect(ids(pendingImages(entries, (id) => id === 7))).toEqual(['early', 'late', 'last-end']);
    const retried = [
      ...entries,
      entryOf({ id: 'again', retryOf: 'last-end', createdAt: '2026-01-01T10:03:00.000Z' }),
    ];
    expect(ids(pendingImages(retried, () => true))).toEqual(['early', 'late', 'again']);
  });
});

describe('stableOrder', () => {
  const exists = (id: string): boolean => id !== 'gone';

  it('follows the state while the list is neither hovered nor focused', () => {
    expect(stableOrder(['a', 'b'], ['b', 'c'], { isHoveredOrFocused: false, exists })).toEqual(['b', 'c']);
  });

  it('keeps rows in place while the list is hovered or focused, and appends new ones', () => {
    expect(stableOrder(['a', 'gone', 'b'], ['c', 'b'], { isHoveredOrFocused: true, exists })).toEqual([
      'a',
      'b',
      'c',
    ]);
  });
});
