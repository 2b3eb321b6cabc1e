import type { Snapshot } from '@wcc/progress';
import { describe, expect, it } from 'vitest';
import { entryOf } from './operations-state.testkit.ts';
import { badgeOf, iconOf, titleOf } from './tab-badge.ts';

const at = (id: string, done: number, total: number | null = 100): Partial<Snapshot> => ({
  id,
  phases: [{ name: 'transfer', unit: 'bytes', done, durable: 0, total, state: 'running', elapsedMs: 1 }],
});
const look = (entries: Partial<Snapshot>[], unseen: string[] = []) =>
  badgeOf(
    entries.map((each) => entryOf(each)),
    { userId: 'u1', unseen: new Set(unseen) },
  );

describe('title and icon of the tab', () => {
  it("show the number of the user's running operations and the lowest percentage", () => {
    const mark = look([at('a', 61.9), at('b', 80), { ...at('c', 1), owner: 'u2' }]);
    expect(mark).toEqual({ running: 2, percent: 61, waiting: 0, failed: 0 });
    expect(titleOf(mark, 'Images')).toBe('(2) 61 % · Images · wcc');
  });

  it('never show 100 % before the end, and no percentage if one is unknown', () => {
    expect(look([at('a', 100)]).percent).toBe(99);
    expect(titleOf(look([at('a', 50), at('b', 50, null)]), '')).toBe('(2) · wcc');
  });

  it('show only the page when no operation runs', () => {
    const mark = look([{ state: 'succeeded' }]);
    expect([titleOf(mark, 'Images'), iconOf(mark)]).toEqual(['Images · wcc', '/favicon.svg']);
  });

  it('mark a failure that the user has not seen', () => {
    const mark = look(
      [
        { id: 'a', state: 'failed' },
        { id: 'b', state: 'failed' },
      ],
      ['a'],
    );
    expect(titleOf(mark, 'Images')).toBe('! · Images · wcc');
    expect(decodeURIComponent(iconOf(mark))).toContain('#b3261e');
  });

  it('draw a ring only for running operations, and a new one every 5 %', () => {
    expect(iconOf(look([{ state: 'paused' }]))).not.toContain('dasharray');
    expect(iconOf(look([at('a', 61)]))).toBe(iconOf(look([at('a', 64)])));
    expect(iconOf(look([at('a', 61)]))).not.toBe(iconOf(look([at('a', 66)])));
  });
});
