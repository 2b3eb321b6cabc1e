import { describe, expect, it } from 'vitest';
import { createSharedWork } from './shared-work.ts';

/** Work that ends when the test says so, and counts its beginnings. */
function createWork() {
  const begun: { end: (value: string) => void; fail: (error: Error) => void; signal: AbortSignal }[] = [];
  const work = (signal: AbortSignal): Promise<string> =>
    new Promise((end, fail) => {
      begun.push({ end, fail, signal });
      signal.addEventListener('abort', () => fail(new Error('stopped')));
    });
  return { begun, work };
}

describe('D11: shared work', () => {
  it('begins once for callers at one time, and its result is kept', async () => {
    const { begun, work } = createWork();
    const shared = createSharedWork<string>({ maxKept: 2 });
    const answers = Promise.all([shared.get('a', work), shared.get('a', work)]);
    begun[0]?.end('facts');
    expect(await answers).toEqual(['facts', 'facts']);
    expect(await shared.get('a', work)).toBe('facts');
    expect(begun).toHaveLength(1);
  });

  it('keeps a limited number of results: the one that was used least recently goes', async () => {
    const shared = createSharedWork<string>({ maxKept: 2 });
    let count = 0;
    const get = (key: string): Promise<string> => shared.get(key, () => Promise.resolve(`${(count += 1)}`));
    for (const key of ['a', 'b', 'a', 'c']) await get(key);
    expect(count).toBe(3);
    expect(await get('a')).toBe('1');
    expect(await get('b')).toBe('4');
  });

  it('continues for the callers that stay, and stops when the last one goes', async () => {
    const { begun, work } = createWork();
    const shared = createSharedWork<string>({ maxKept: 2 });
    const [first, second] = [new AbortController(), new AbortController()];
    const answers = [shared.get('a', work, first.signal), shared.get('a', work, second.signal)];
    first.abort(new Error('gone'));
    await expect(answers[0]).rejects.toThrow('gone');
    expect(begun[0]?.signal.aborted).toBe(false);
    second.abort(new Error('gone too'));
    await expect(answers[1]).rejects.toThrow('gone too');
    expect(begun[0]?.signal.aborted).toBe(true);
    const later = shared.get('a', work);
    begun[1]?.end('facts');
    expect(await later).toBe('facts');
  });

  it('does not begin for a caller that has gone, and keeps no failure', async () => {
    const { begun, work } = createWork();
    const shared = createSharedWork<string>({ maxKept: 2 });
    await expect(shared.get('a', work, AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone');
    expect(begun).toHaveLength(0);
    const failed = shared.get('a', work);
    begun[0]?.fail(new Error('disk'));
    await expect(failed).rejects.toThrow('disk');
    const later = shared.get('a', work);
    begun[1]?.end('facts');
    expect(await later).toBe('facts');
  });
});
