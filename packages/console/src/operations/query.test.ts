import { createApiClient } from '@wcc/api/client';
import { describe, expect, it } from 'vitest';
import { parseFilter } from './filter.ts';
import { createFakeLive, snapshotOf } from './operations-state.testkit.ts';
import { OperationsState } from './operations-state.ts';
import { OperationQueryState } from './query.ts';

/** Requests whose answers the test sends. */
function open() {
  const live = createFakeLive();
  const waiting: { url: string; answer: (page: object) => void }[] = [];
  const api = createApiClient({
    fetch: (input) =>
      new Promise((resolve) => {
        const url = typeof input === 'string' ? input : '';
        waiting.push({ url, answer: (page) => resolve(Response.json(page)) });
      }),
  });
  const operations = new OperationsState(live.client);
  const query = new OperationQueryState({ api, operations, userId: 'u1' });
  const shown = () => operations.all.filter((entry) => query.shows(entry)).map(({ snapshot }) => snapshot.id);
  const settled = (): Promise<void> =>
    new Promise((resolve) => {
      const stop = query.changed.listen(() => {
        stop();
        resolve();
      });
    });
  return { live, query, shown, waiting, settled };
}

const ended = (id: string, day: number, state: 'failed' | 'succeeded' = 'failed') =>
  snapshotOf({
    id,
    state,
    createdAt: `2026-01-0${day}T10:00:00.000Z`,
    endedAt: `2026-01-0${day}T11:00:00.000Z`,
  });

describe('OperationQueryState', () => {
  it('loads pages of a filter and includes matching live operations', async () => {
    const { live, query, shown, waiting, settled } = open();
    query.setFilter(parseFilter('?state=failed'));
    query.setFilter(parseFilter('?state=failed'));
    expect(waiting.length).toBe(1);
    expect(waiting[0]?.url).toContain('state=failed');
    let done = settled();
    waiting[0]?.answer({ items: [ended('b', 2)], next: 'c2' });
    await done;
    live.push(snapshotOf({ id: 'runs' }));
    live.push(ended('live', 1));
    expect(shown()).toEqual(['b', 'live']);
    expect(query.hasMore).toBe(true);
    void query.more();
    expect(waiting[1]?.url).toContain('cursor=c2');
    void query.more();
    expect(waiting.length).toBe(2);
    done = settled();
    waiting[1]?.answer({ items: [ended('a', 1)] });
    await done;
    expect([shown(), query.hasMore]).toEqual([['b', 'live', 'a'], false]);
  });

  it('includes operations that another query loaded only once its own pages reach them', async () => {
    const { query, shown, waiting, settled } = open();
    query.setFilter(parseFilter('?state=succeeded'));
    let done = settled();
    waiting[0]?.answer({ items: [ended('old', 1, 'succeeded')] });
    await done;
    query.setFilter(parseFilter(''));
    done = settled();
    waiting[1]?.answer({ items: [ended('new', 5)], next: 'c' });
    await done;
    expect(shown()).toEqual(['new']);
  });

  it('ignores the answer for an earlier filter', async () => {
    const { query, shown, waiting, settled } = open();
    query.setFilter(parseFilter('?state=failed'));
    query.setFilter(parseFilter('?state=succeeded'));
    const done = settled();
    waiting[1]?.answer({ items: [ended('right', 2, 'succeeded')] });
    await done;
    waiting[0]?.answer({ items: [ended('late', 3)], next: 'more' });
    await Promise.resolve();
    expect([shown(), query.hasMore, query.isLoaded]).toEqual([['right'], false, true]);
  });
});
