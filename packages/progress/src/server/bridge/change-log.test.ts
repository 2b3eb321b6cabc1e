import { describe, expect, it } from 'vitest';
import { ChangeLog } from './change-log.ts';

const after = (log: ChangeLog, at: number): string[] => [...log.after(at)].map((change) => change.id);

describe('change log', () => {
  it('names each operation once, at its newest change, oldest first', () => {
    const log = new ChangeLog();
    for (const id of ['a', 'b', 'a', 'c', 'b']) log.changed(id);
    expect([...log.after(0)]).toEqual([
      { id: 'a', at: 3, gone: null },
      { id: 'c', at: 4, gone: null },
      { id: 'b', at: 5, gone: null },
    ]);
    expect([after(log, 3), after(log, 4), after(log, 5)]).toEqual([['c', 'b'], ['b'], []]);
    expect(log.latest).toBe(5);
  });

  it('remembers removals of operations it knows, and forgets without one', () => {
    const log = new ChangeLog();
    for (const id of ['a', 'b']) log.changed(id);
    log.removed('a', 'deleted');
    log.removed('unknown', 'deleted');
    log.forget('b');
    expect([...log.after(0)]).toEqual([{ id: 'a', at: 3, gone: 'deleted' }]);
    expect([log.has('a'), log.has('b')]).toEqual([true, false]);
  });

  it('raises its horizon when it forgets the oldest of 10,000 removals', () => {
    const log = new ChangeLog();
    for (let index = 0; index < 10_002; index += 1) {
      log.changed(String(index));
      log.removed(String(index), 'deleted');
      expect(log.horizon).toBe(index < 10_000 ? 0 : 2 * (index - 9999));
    }
    expect(after(log, 0)).toHaveLength(10_000);
  });

  it('still names every operation after many changes of one of them', () => {
    const log = new ChangeLog();
    log.changed('quiet');
    for (let index = 0; index < 100_000; index += 1) log.changed('busy');
    expect([...log.after(0)]).toEqual([
      { id: 'quiet', at: 1, gone: null },
      { id: 'busy', at: 100_001, gone: null },
    ]);
  });
});
