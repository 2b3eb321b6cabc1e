import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Attendance } from './attendance.ts';

const unattendedAfterMs = 5 * 60_000;

beforeEach(() => vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => vi.useRealTimers());

describe('the attendance of a page', () => {
  it('ends five minutes after the page was opened, if nothing happens', () => {
    const attendance = new Attendance(new EventTarget() as Window);
    expect(attendance.isUnattended).toBe(false);
    vi.advanceTimersByTime(unattendedAfterMs - 1);
    expect(attendance.isUnattended).toBe(false);
    vi.advanceTimersByTime(1);
    expect(attendance.isUnattended).toBe(true);
  });

  it.each(['keydown', 'pointerdown', 'pointermove', 'wheel', 'touchstart'])(
    'begins again with the event %s',
    (sign) => {
      const page = new EventTarget();
      const attendance = new Attendance(page as Window);
      vi.advanceTimersByTime(unattendedAfterMs);
      page.dispatchEvent(new Event(sign));
      expect(attendance.isUnattended).toBe(false);
      vi.advanceTimersByTime(unattendedAfterMs);
      expect(attendance.isUnattended).toBe(true);
    },
  );

  it.each(['focus', 'visibilitychange', 'message', 'scroll'])(
    'does not begin again with the event %s, which needs no person',
    (event) => {
      const page = new EventTarget();
      const attendance = new Attendance(page as Window);
      vi.advanceTimersByTime(unattendedAfterMs);
      page.dispatchEvent(new Event(event));
      expect(attendance.isUnattended).toBe(true);
    },
  );

  it('listens before the parts of the page, which may keep an event to themselves', () => {
    const addEventListener = vi.fn<Window['addEventListener']>();
    expect(new Attendance({ addEventListener }).isUnattended).toBe(false);
    for (const call of addEventListener.mock.calls)
      expect(call[2]).toMatchObject({ capture: true, passive: true });
    expect(addEventListener).toHaveBeenCalledTimes(5);
  });
});
