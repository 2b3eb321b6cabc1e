import { deadHiddenMs, deadVisibleMs } from '@wcc/progress/protocol';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { watchSilence } from './machine-socket.ts';

class FakePage extends EventTarget {
  visibilityState: DocumentVisibilityState = 'visible';
}

let socket: EventTarget;
let page: FakePage;
const onSilent = vi.fn<() => void>();
const hear = (): boolean => socket.dispatchEvent(new Event('message'));

beforeEach(() => {
  vi.useFakeTimers();
  onSilent.mockClear();
  [socket, page] = [new EventTarget(), new FakePage()];
  watchSilence({ socket, page, onSilent });
});
afterEach(() => vi.useRealTimers());

it('V6: a socket without a message for 12 s is dead, once', () => {
  vi.advanceTimersByTime(deadVisibleMs - 1);
  expect(onSilent).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(onSilent).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(10 * deadHiddenMs);
  expect(onSilent).toHaveBeenCalledTimes(1);
});

it('V6: heartbeats keep a socket alive', () => {
  for (let beat = 0; beat < 20; beat += 1) {
    vi.advanceTimersByTime(8000);
    hear();
  }
  expect(onSilent).not.toHaveBeenCalled();
});

it('V6: a hidden page waits longer, and looks at once when it is shown again', () => {
  page.visibilityState = 'hidden';
  vi.advanceTimersByTime(deadHiddenMs - 1000);
  expect(onSilent).not.toHaveBeenCalled();
  page.visibilityState = 'visible';
  page.dispatchEvent(new Event('visibilitychange'));
  expect(onSilent).toHaveBeenCalledTimes(1);
});

it('stops with the socket', () => {
  socket.dispatchEvent(new Event('close'));
  vi.advanceTimersByTime(2 * deadHiddenMs);
  expect(onSilent).not.toHaveBeenCalled();
  expect(vi.getTimerCount()).toBe(0);
});
