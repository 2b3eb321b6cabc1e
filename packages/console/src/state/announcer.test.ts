import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Announcer } from './announcer.ts';

const page = {
  visibilityState: 'visible',
  addEventListener: (_: string, listener: () => void) => (wake = listener),
};
let wake = (): void => undefined;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('document', page);
  page.visibilityState = 'visible';
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('the announcer', () => {
  const create = () => new Announcer({ summarise: (count) => `${count} changes` });

  it('says one text a second', () => {
    const announcer = create();
    announcer.say('one');
    announcer.say('two');
    expect(announcer.status).toBe('one');
    vi.advanceTimersByTime(999);
    expect(announcer.status).toBe('one');
    vi.advanceTimersByTime(1);
    expect(announcer.status).toBe('two');
  });

  it('makes a summary of a burst', () => {
    const announcer = create();
    for (const text of ['one', 'two', 'three', 'four', 'five']) announcer.say(text);
    vi.advanceTimersByTime(1000);
    expect(announcer.status).toBe('4 changes');
  });

  it('is silent while the page is hidden, and sums up on return', () => {
    const announcer = create();
    page.visibilityState = 'hidden';
    for (const text of ['one', 'two', 'three', 'four']) announcer.say(text);
    vi.advanceTimersByTime(60_000);
    expect(announcer.status).toBe('');
    page.visibilityState = 'visible';
    wake();
    expect(announcer.status).toBe('4 changes');
  });
});
