import { describe, expect, it } from 'vitest';
import { createFairQueue } from './queue.ts';
import type { FairQueue } from './queue.ts';

const ids = (entries: readonly { id: string }[]): string[] => entries.map(({ id }) => id);

describe('a fair queue', () => {
  it('operations of a single owner start in their order', () => {
    const queue = createFairQueue();
    for (const id of ['a1', 'a2', 'a3']) queue.add({ id, owner: 'a' });
    expect(ids(queue.order([]))).toEqual(['a1', 'a2', 'a3']);
    expect(queue.take([])?.id).toBe('a1');
    expect(queue.size).toBe(2);
  });

  it('an owner does not wait for the whole batch of another owner', () => {
    const queue = createFairQueue();
    for (const id of ['a1', 'a2', 'a3', 'a4']) queue.add({ id, owner: 'a' });
    queue.add({ id: 'b1', owner: 'b' });
    queue.add({ id: 'b2', owner: 'b' });
    expect(ids(queue.order(['a', 'a']))).toEqual(['b1', 'b2', 'a1', 'a2', 'a3', 'a4']);
    expect(queue.take(['a'])?.id).toBe('b1');
  });

  it('among equal owners, the owner served least recently is next', () => {
    const queue = createFairQueue();
    for (const owner of ['a', 'b', 'c']) for (const n of [1, 2]) queue.add({ id: `${owner}${n}`, owner });
    const taken = Array.from({ length: 6 }, () => queue.take([])?.id);
    expect(taken).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'c2']);
    expect(queue.take([])).toBeNull();
  });

  it('the shown positions are the order of the starts', () => {
    const queue = createFairQueue();
    for (const id of ['a1', 'b1', 'a2', 'c1', 'a3', 'b2']) queue.add({ id, owner: id.charAt(0) });
    queue.take([]);
    const shown = ids(queue.order(['a']));
    const running = ['a'];
    const taken: string[] = [];
    for (let next = queue.take(running); next; next = queue.take(running)) {
      taken.push(next.id);
      running.push(next.owner);
    }
    expect(taken).toEqual(shown);
  });

  it('operations that ran before a restart start before all others', () => {
    const queue = createFairQueue();
    queue.add({ id: 'a1', owner: 'a' });
    queue.add({ id: 'b1', owner: 'b' }, { first: true });
    queue.add({ id: 'a0', owner: 'a' }, { first: true });
    expect(ids(queue.order([]))).toEqual(['b1', 'a0', 'a1']);
  });

  it('a removed operation has no position and does not start', () => {
    const queue = createFairQueue();
    queue.add({ id: 'a1', owner: 'a' });
    queue.add({ id: 'a2', owner: 'a' });
    expect(queue.remove('a1')).toBe(true);
    expect(queue.remove('a1')).toBe(false);
    expect(queue.has('a1')).toBe(false);
    expect(ids(queue.order([]))).toEqual(['a2']);
  });
});

describe('SM6: slow operations of one owner', () => {
  const filled = (...owners: string[]): FairQueue => {
    const queue = createFairQueue();
    for (const [index, owner] of owners.entries()) queue.add({ id: `${owner}${index}`, owner });
    return queue;
  };

  it('in all slots leave a slot for another owner, and none for a third operation of the first', () => {
    expect(filled('b').take(['a', 'a'], 2)?.owner).toBe('b');
    expect(filled('a').take(['a', 'a'], 2)).toBeNull();
    expect(filled('a', 'b').take(['a', 'a', 'a', 'a'], 4)?.owner).toBe('b');
  });

  it('never let more than one operation beyond the slots start', () => {
    expect(filled('b', 'b').take(['a', 'a', 'b'], 2)).toBeNull();
    expect(filled('c').take(['a', 'a', 'b'], 2)).toBeNull();
    expect(filled('b').take(['a', 'c'], 2)).toBeNull();
  });

  it('take all slots while nothing else waits, and the only slot for themselves', () => {
    expect(filled('a').take(['a'], 2)?.owner).toBe('a');
    expect(filled('b').take(['a'], 1)).toBeNull();
  });

  it('that ran before a restart do not block the operations behind them', () => {
    const queue = createFairQueue();
    for (const id of ['a1', 'a2', 'a3']) queue.add({ id, owner: 'a' }, { first: true });
    queue.add({ id: 'b1', owner: 'b' });
    expect([queue.take([], 2)?.id, queue.take(['a'], 2)?.id, queue.take(['a', 'a'], 2)?.id]).toEqual([
      'a1',
      'a2',
      'b1',
    ]);
    expect(queue.take(['a', 'a', 'b'], 2)).toBeNull();
    expect(queue.take(['b'], 2)?.id).toBe('a3');
  });
});
