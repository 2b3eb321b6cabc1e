import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createClient } from './client.ts';
import { Backoff } from './backoff.ts';
import type { PageSignals } from './page-signals.ts';
import type { SocketEvent, SocketLike } from './socket-wire.ts';

class FakeSocket implements SocketLike {
  static readonly all: FakeSocket[] = [];
  readonly #listeners = new Map<string, (event: SocketEvent) => void>();
  isClosed = false;

  constructor() {
    FakeSocket.all.push(this);
  }

  addEventListener(type: string, listener: (event: SocketEvent) => void): void {
    this.#listeners.set(type, listener);
  }

  send(): void {
    if (this.isClosed) throw new Error('Sent on a closed socket.');
  }

  close(): void {
    this.isClosed = true;
  }

  receive(message: unknown): void {
    this.#listeners.get('message')?.({ type: 'message', data: JSON.stringify(message) });
  }

  fall(code = 1006): void {
    this.#listeners.get('close')?.({ type: 'close', code });
  }
}

const hello = {
  t: 'hello',
  v: 1,
  conn: 'c',
  epoch: 'e',
  hb: 8,
  limits: { msg: 1, subs: 1, hz: 1 },
  exp: null,
};

function createPage(): PageSignals & { isAway: boolean; wake: () => void } {
  let listener = (): void => undefined;
  return {
    isAway: false,
    wake: () => listener(),
    isHidden() {
      return this.isAway;
    },
    onWake: (next) => {
      listener = next;
      return () => undefined;
    },
  };
}

beforeEach(() => {
  vi.useFakeTimers();
  FakeSocket.all.length = 0;
});

afterEach(() => vi.useRealTimers());

describe('backoff', () => {
  const waits = (count: number, stepMs: number): number[] => {
    let at = 0;
    const backoff = new Backoff({ scale: 1, now: () => at, random: () => 1 });
    return Array.from({ length: count }, () => {
      const wait = backoff.nextWaitMs(0);
      at += stepMs;
      return wait;
    });
  };

  it('doubles waits up to 3 s in the first minute and up to 30 s later', () => {
    expect(waits(5, 1000)).toEqual([500, 1000, 2000, 3000, 3000]);
    expect(waits(8, 20_000).slice(3)).toEqual([4000, 8000, 16_000, 30_000, 30_000]);
  });

  it('spreads waits over the whole range', () => {
    const backoff = new Backoff({ scale: 1, now: () => 0, random: () => 0 });
    expect([backoff.nextWaitMs(0), backoff.nextWaitMs(0)]).toEqual([0, 0]);
  });

  it('restarts only after 30 s online', () => {
    const backoff = new Backoff({ scale: 1, now: () => 0, random: () => 1 });
    backoff.nextWaitMs(0);
    backoff.nextWaitMs(0);
    expect(backoff.nextWaitMs(29_999)).toBe(2000);
    expect(backoff.nextWaitMs(30_000)).toBe(500);
  });
});

describe('dead timer', () => {
  const open = (page: PageSignals) =>
    createClient(
      'ws://x/',
      { WebSocket: FakeSocket, ticket: null },
      { now: () => Date.now(), random: () => 0.5, page },
    );

  it('ends a connection after 12 s on a visible page', () => {
    const client = open(createPage());
    FakeSocket.all[0]?.receive(hello);
    vi.advanceTimersByTime(8000);
    FakeSocket.all[0]?.receive({ t: 'hb', now: 0 });
    vi.advanceTimersByTime(11_999);
    expect(client.status.state).toBe('online');
    vi.advanceTimersByTime(1);
    expect(client.status).toMatchObject({ state: 'offline', code: 'silent' });
    expect(FakeSocket.all[0]?.isClosed).toBe(true);
    client.close();
  });

  it('ends a connection after 70 s on a hidden page, and checks it when the page wakes', () => {
    const page = createPage();
    const client = open(page);
    page.isAway = true;
    FakeSocket.all[0]?.receive(hello);
    vi.advanceTimersByTime(69_000);
    expect(client.status.state).toBe('online');
    page.isAway = false;
    page.wake();
    expect(client.status.state).toBe('offline');
    client.close();
  });

  it('measures the time in a state, and ends a wait when the page wakes', () => {
    const page = createPage();
    const client = open(page);
    FakeSocket.all[0]?.receive(hello);
    FakeSocket.all[0]?.fall();
    expect(client.status.retryInMs).toBe(250);
    page.wake();
    expect(FakeSocket.all).toHaveLength(2);
    vi.advanceTimersByTime(3000);
    expect(client.status.sinceMs).toBe(3000);
    client.close();
  });

  it('does not reconnect when the page wakes after the session ended', () => {
    const page = createPage();
    const client = open(page);
    FakeSocket.all[0]?.receive(hello);
    FakeSocket.all[0]?.fall(4401);
    page.wake();
    vi.advanceTimersByTime(120_000);
    expect(client.status.state).toBe('signed_out');
    expect(FakeSocket.all).toHaveLength(1);
    client.close();
  });

  it('has no timer after close', () => {
    const client = open(createPage());
    FakeSocket.all[0]?.receive(hello);
    client.close();
    expect(vi.getTimerCount()).toBe(0);
    expect(client.status).toMatchObject({ state: 'stopped', code: 'closed_here' });
  });
});
