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

describe('Announcer', () => {
  const create = () => new Announcer({ summarise: (count, failed) => `${count} changes, ${failed} failed` });

  it('announces one text per second', () => {
    const announcer = create();
    announcer.say('one');
    announcer.say('two');
    expect(announcer.status).toBe('one');
    vi.advanceTimersByTime(999);
    expect(announcer.status).toBe('one');
    vi.advanceTimersByTime(1);
    expect(announcer.status).toBe('two');
  });

  it('announces failures first and spaces announcements over both regions', () => {
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

  it('announces a summary of a burst', () => {
    const announcer = create();
    for (const text of ['one', 'two', 'three', 'four', 'five']) announcer.say(text);
    vi.advanceTimersByTime(1000);
    expect(announcer.status).toBe('4 changes, 0 failed');
  });

  it('announces a single failure of a burst in full, several failures as a number', () => {
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

  it('changes the text of a repeated announcement, so that it is spoken again', () => {
    const announcer = create();
    announcer.say('same');
    announcer.say('same');
    vi.advanceTimersByTime(1000);
    expect(announcer.status).not.toBe('same');
    expect(announcer.status.trim()).toBe('same');
  });

  it('is silent while the page is hidden, and announces one summary when it is shown', () => {
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

  it('announces a single event in full after the page was hidden', () => {
    const announcer = create();
    show('hidden');
    announcer.say('one');
    show('visible');
    expect(announcer.status).toBe('one');
  });
});
