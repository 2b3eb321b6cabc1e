import { describe, expect, it } from 'vitest';
import { createFairQueue } from './queue.ts';

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
