import type { Snapshot } from '@wcc/progress';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createFakeLive, snapshotOf } from './operations-state.testkit.ts';
import { OperationsState } from './operations-state.ts';
import { Tray } from './tray-state.ts';

const page = {
  visibilityState: 'visible',
  addEventListener: (_: string, listener: () => void) => (wake = listener),
};
let wake = (): void => undefined;
let stored = new Map<string, string>();

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('document', page);
  stored = new Map();
  vi.stubGlobal('localStorage', {
    getItem: (key: string) => stored.get(key) ?? null,
    setItem: (key: string, value: string) => void stored.set(key, value),
  });
  page.visibilityState = 'visible';
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function open() {
  const live = createFakeLive();
  const state = new OperationsState(live.client);
  const fetched: string[] = [];
  const tray = new Tray(state, {
    isRelevant: (snapshot) => snapshot.owner === 'u1',
    fetch: (id) => Promise.resolve(void fetched.push(id)),
  });
  let seq = 0;
  const push = (change: Partial<Snapshot>): void => live.push(snapshotOf({ seq: (seq += 1), ...change }));
  const ids = () => tray.entries.map(({ snapshot }) => snapshot.id);
  return { live, state, tray, push, ids, fetched };
}

const failed = { state: 'failed', endedAt: '2026-01-01T10:00:05.000Z' } as const;

describe('Tray', () => {
  it('lists and counts the relevant running operations, oldest first', () => {
    const { push, ids, tray } = open();
    push({ id: 'b', createdAt: '2026-01-01T10:00:02.000Z' });
    push({ id: 'a', createdAt: '2026-01-01T10:00:01.000Z', state: 'queued' });
    push({ id: 'theirs', owner: 'u2' });
    expect(ids()).toEqual(['a', 'b']);
    expect(tray.counts).toEqual({ running: 1, waiting: 1, failed: 0, done: 0 });
  });

  it('removes a success after 10 s, and keeps failures and warnings until they are dismissed', () => {
    const { push, ids, tray } = open();
    for (const id of ['done', 'warned', 'broken']) push({ id });
    push({ id: 'done', state: 'succeeded' });
    push({ id: 'warned', state: 'succeeded', warnings: ['cancel_too_late'] });
    push({ id: 'broken', ...failed });
    vi.advanceTimersByTime(9999);
    expect(ids()).toContain('done');
    vi.advanceTimersByTime(1);
    expect(ids()).toEqual(['warned', 'broken']);
    vi.advanceTimersByTime(3_600_000);
    expect(tray.counts).toEqual({ running: 0, waiting: 0, failed: 1, done: 1 });
    tray.dismiss('broken');
    expect(ids()).toEqual(['warned']);
    push({ id: 'broken', ...failed });
    expect(ids()).toEqual(['warned']);
  });

  it('does not count the time while the page is hidden', () => {
    const { push, ids } = open();
    push({ id: 'a' });
    page.visibilityState = 'hidden';
    wake();
    push({ id: 'a', state: 'succeeded' });
    vi.advanceTimersByTime(60_000);
    expect(ids()).toEqual(['a']);
    page.visibilityState = 'visible';
    wake();
    vi.advanceTimersByTime(9999);
    expect(ids()).toEqual(['a']);
    vi.advanceTimersByTime(1);
    expect(ids()).toEqual([]);
  });

  it('shows operations that ended before the page was opened only if they failed', () => {
    const { push, ids, state } = open();
    push({ id: 'done', state: 'succeeded' });
    push({ id: 'broken', ...failed });
    state.offer(snapshotOf({ id: 'long-ago', ...failed }));
    expect(ids()).toEqual(['broken']);
  });

  it('remembers failures, dismissals and its size over a reload', () => {
    const first = open();
    for (const id of ['broken', 'seen']) {
      first.push({ id });
      first.push({ id, ...failed });
    }
    first.tray.dismiss('seen');
    first.tray.setMode('list');
    const second = open();
    expect(second.tray.mode).toBe('list');
    expect(second.fetched).toEqual(['broken']);
    second.state.offer(snapshotOf({ id: 'broken', ...failed }));
    second.push({ id: 'seen', ...failed });
    expect(second.ids()).toEqual(['broken']);
  });

  it('removes a failure when it is retried, and a revoked operation immediately', () => {
    const { live, push, ids, tray } = open();
    push({ id: 'broken' });
    push({ id: 'broken', ...failed });
    push({ id: 'again', retryOf: 'broken' });
    expect(ids()).toEqual(['again']);
    live.gone('again', 'revoked');
    expect(ids()).toEqual([]);
    expect(tray.counts.running).toBe(0);
  });

  it('keeps operations that the server no longer knows', () => {
    const { live, push, tray } = open();
    push({ id: 'a' });
    live.gone('a', 'not_found');
    expect(tray.counts).toEqual({ running: 0, waiting: 0, failed: 1, done: 0 });
  });
});
