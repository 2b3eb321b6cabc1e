import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ServerClock } from './server-clock.ts';

const serverTime = '2026-11-30T12:00:00Z';
const dayMs = 86_400_000;

/** An answer with this `Date` header; null: without one. */
function answerAt(time: string | null): Response {
  return new Response(null, { headers: time === null ? {} : { date: new Date(time).toUTCString() } });
}

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

it.each([
  { skew: '25 hours ahead', skewMs: 25 * 3_600_000 },
  { skew: '25 hours behind', skewMs: -25 * 3_600_000 },
])('V10m: shows the time of the server in a browser $skew', ({ skewMs }) => {
  vi.setSystemTime(Date.parse(serverTime) + skewMs);
  const clock = new ServerClock();
  clock.note(answerAt(serverTime));
  expect(clock.now()).toBe(Date.parse(serverTime));
  vi.advanceTimersByTime(5000);
  expect(clock.now()).toBe(Date.parse(serverTime) + 5000);
});

it('V10m: does not follow a change of the browser’s clock', () => {
  vi.setSystemTime(Date.parse(serverTime));
  const clock = new ServerClock();
  clock.note(answerAt(serverTime));
  vi.setSystemTime(Date.parse(serverTime) + dayMs);
  expect(clock.now()).toBe(Date.parse(serverTime));
});

it('uses the browser’s clock until an answer has a date', () => {
  vi.setSystemTime(Date.parse(serverTime));
  const clock = new ServerClock();
  clock.note(answerAt(null));
  expect(clock.now()).toBe(Date.parse(serverTime));
});
