import type { ConnectionStatus, ProgressClient } from '@wcc/progress/client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createFakeLive } from '../operations/operations-state.testkit.ts';
import { ConnectionState } from './connection-state.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function open() {
  let listener: (status: ConnectionStatus) => void = () => undefined;
  let since = Date.now();
  let state: ConnectionStatus['state'] = 'connecting';
  let code: string | null = null;
  const status = (): ConnectionStatus => ({ state, sinceMs: Date.now() - since, code, retryInMs: null });
  const client: ProgressClient = {
    ...createFakeLive().client,
    get status() {
      return status();
    },
    onStatus: (next) => {
      listener = next;
      return () => undefined;
    },
  };
  const told: string[] = [];
  const link = new ConnectionState(client, { lost: () => told.push('lost'), back: () => told.push('back') });
  const become = (next: ConnectionStatus['state'], why: string | null = null): void => {
    state = next;
    code = why;
    since = Date.now();
    listener(status());
  };
  return { link, told, become };
}

describe('the connection as the page tells it', () => {
  it('says nothing of a loss of a blink', () => {
    const { link, told, become } = open();
    become('online');
    become('offline', 'closed');
    vi.advanceTimersByTime(900);
    expect(link.view).toEqual({ kind: 'ok' });
    become('online');
    vi.advanceTimersByTime(5000);
    expect(told).toEqual(['back']);
  });

  it('says a real loss once, counts its age, and says when it is over', () => {
    const { link, told, become } = open();
    become('online');
    become('offline', 'silent');
    vi.advanceTimersByTime(12_000);
    expect(link.view).toEqual({ kind: 'lost', sinceMs: 12_000 });
    expect(link.isOnline).toBe(false);
    become('online');
    expect(told).toEqual(['lost', 'back']);
  });

  it('tells apart too many windows and another version', () => {
    const { link, become } = open();
    become('stopped', 'too_many_connections');
    expect(link.view.kind).toBe('too_many');
    become('stopped', 'other_version');
    expect(link.view.kind).toBe('other_version');
  });
});
