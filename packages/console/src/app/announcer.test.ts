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

function show(state: 'visible' | 'hidden'): void {
  page.visibilityState = state;
  wake();
}

describe('the announcer', () => {
  const create = () => new Announcer({ summarise: (count, failed) => `${count} changes, ${failed} failed` });

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

  it('keeps the distance over both regions, and lets failures go first', () => {
    const announcer = create();
    announcer.say('one');
    announcer.say('two');
    announcer.alert('broken');
    expect(announcer.alertText).toBe('');
    vi.advanceTimersByTime(1000);
    expect([announcer.status, announcer.alertText]).toEqual(['one', 'broken']);
    vi.advanceTimersByTime(1000);
    expect(announcer.status).toBe('two');
  });

  it('makes a summary of a burst', () => {
    const announcer = create();
    for (const text of ['one', 'two', 'three', 'four', 'five']) announcer.say(text);
    vi.advanceTimersByTime(1000);
    expect(announcer.status).toBe('4 changes, 0 failed');
  });

  it('tells the one failure of a burst in its own words, several as a number', () => {
    const announcer = create();
    for (const text of ['one', 'two', 'three', 'four', 'five']) announcer.say(text);
    announcer.alert('broken');
    vi.advanceTimersByTime(1000);
    expect(announcer.alertText).toBe('broken');
    vi.advanceTimersByTime(1000);
    expect(announcer.status).toBe('4 changes, 0 failed');
    for (const text of ['a', 'b', 'c', 'd']) announcer.alert(text);
    vi.advanceTimersByTime(1000);
    expect(announcer.alertText).toBe('4 changes, 4 failed');
  });

  it('gives the same words again another text, else a region would stay silent', () => {
    const announcer = create();
    announcer.say('same');
    announcer.say('same');
    vi.advanceTimersByTime(1000);
    expect(announcer.status).not.toBe('same');
    expect(announcer.status.trim()).toBe('same');
  });

  it('is silent while the page is hidden, and sums up once on return', () => {
    const announcer = create();
    show('hidden');
    announcer.say('one');
    announcer.alert('broken');
    vi.advanceTimersByTime(60_000);
    expect([announcer.status, announcer.alertText]).toEqual(['', '']);
    show('visible');
    expect([announcer.status, announcer.alertText]).toEqual(['', '2 changes, 1 failed']);
    vi.advanceTimersByTime(60_000);
    expect(announcer.status).toBe('');
  });

  it('says the one thing that happened meanwhile as it is', () => {
    const announcer = create();
    show('hidden');
    announcer.say('one');
    show('visible');
    expect(announcer.status).toBe('one');
  });
});
