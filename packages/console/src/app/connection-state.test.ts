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
  const status = (): ConnectionStatus => ({
    state,
    sinceMs: Date.now() - since,
    code,
    hint: null,
    retryInMs: null,
    transport: 'websocket',
  });
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
  const events: string[] = [];
  const connection = new ConnectionState(client, {
    lost: () => events.push('lost'),
    back: () => events.push('back'),
  });
  const become = (next: ConnectionStatus['state'], why: string | null = null): void => {
    state = next;
    code = why;
    since = Date.now();
    listener(status());
  };
  return { connection, events, become };
}

describe('ConnectionState', () => {
  it('does not report a loss that is shorter than the grace time', () => {
    const { connection, events, become } = open();
    become('online');
    become('offline', 'closed');
    vi.advanceTimersByTime(900);
    expect(connection.view).toEqual({ kind: 'ok' });
    become('online');
    vi.advanceTimersByTime(5000);
    expect(events).toEqual(['back']);
  });

  it('reports a longer loss once with its age, and reports the reconnection', () => {
    const { connection, events, become } = open();
    become('online');
    become('offline', 'silent');
    vi.advanceTimersByTime(12_000);
    expect(connection.view).toEqual({ kind: 'lost', sinceMs: 12_000 });
    expect(connection.isOnline).toBe(false);
    become('online');
    expect(events).toEqual(['lost', 'back']);
  });

  it('distinguishes too many connections from another server version', () => {
    const { connection, become } = open();
    become('stopped', 'too_many_connections');
    expect(connection.view.kind).toBe('too_many');
    become('stopped', 'other_version');
    expect(connection.view.kind).toBe('other_version');
  });
});
