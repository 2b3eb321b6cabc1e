import { describe, expect, it } from 'vitest';
import { PagedList } from './paged-list.ts';

interface Asked {
  cursor: string | undefined;
  answer: (part: { items: number[]; next?: string }) => void;
  fail: (error: Error) => void;
}

function make(): { listing: PagedList<number>; asked: Asked[] } {
  const asked: Asked[] = [];
  const listing = new PagedList<number>(
    (cursor) => new Promise((answer, fail) => void asked.push({ cursor, answer, fail })),
  );
  return { listing, asked };
}

describe('PagedList', () => {
  it('appends the next part and knows when it has the last one', async () => {
    const { listing, asked } = make();
    const first = listing.load();
    expect([listing.isBusy, listing.isLoaded]).toEqual([true, false]);
    asked[0]!.answer({ items: [3, 2], next: '2' });
    await first;
    expect([listing.items, listing.hasMore, listing.isBusy, listing.isLoaded]).toEqual([
      [3, 2],
      true,
      false,
      true,
    ]);
    const second = listing.more();
    expect(asked[1]!.cursor).toBe('2');
    asked[1]!.answer({ items: [1] });
    await second;
    expect([listing.items, listing.hasMore]).toEqual([[3, 2, 1], false]);
  });

  it('keeps its items when a part fails, and retries that part', async () => {
    const { listing, asked } = make();
    const first = listing.load();
    asked[0]!.answer({ items: [2], next: '2' });
    await first;
    const second = listing.more();
    asked[1]!.fail(new Error('gone'));
    await second;
    expect([listing.items, listing.hasMore, String(listing.problem)]).toEqual([[2], true, 'Error: gone']);
    const third = listing.more();
    asked[2]!.answer({ items: [1] });
    await third;
    expect([listing.items, listing.problem]).toEqual([[2, 1], null]);
  });

  it('ignores the answer to an older request', async () => {
    const { listing, asked } = make();
    const old = listing.load();
    const young = listing.load();
    asked[1]!.answer({ items: [2] });
    asked[0]!.answer({ items: [1] });
    await Promise.all([old, young]);
    expect([listing.items, listing.isBusy]).toEqual([[2], false]);
  });
});
