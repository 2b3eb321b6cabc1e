import { afterEach, describe, expect, it } from 'vitest';
import type { Snapshot } from '@wcc/progress';
import { WebSocket } from 'ws';
import { connect } from '../client/index.ts';
import type { ConnectOptions, ProgressClient } from '../client/index.ts';
import { startScriptedSession } from './scripted-session.ts';
import type { ScriptedSession } from './scripted-session.ts';

let session: ScriptedSession;
let client: ProgressClient | null = null;

afterEach(async () => {
  client?.close();
  client = null;
  await session.close();
});

async function askTicket(): Promise<string> {
  const response = await fetch(`${session.baseUrl}/api/ws-tickets`, { method: 'POST' });
  return ((await response.json()) as { ticket: string }).ticket;
}

function watch(options: Partial<ConnectOptions> = {}): Snapshot[] {
  const taken: Snapshot[] = [];
  client = connect(session.url, { ticket: askTicket, WebSocket, ...options });
  client.watch(session.operation, (snapshot) => taken.push(snapshot));
  return taken;
}

describe('the scripted session', () => {
  it('is passed by the client of this package', async () => {
    session = await startScriptedSession();
    const taken = watch();
    expect(await session.finished).toEqual({ failures: [], attempts: 5 });
    expect(taken).toEqual(session.taken);
  });

  it('finds a client that takes its ticket twice', async () => {
    session = await startScriptedSession();
    const once = askTicket();
    watch({ ticket: () => once });
    const { failures } = await session.finished;
    expect(failures).toContain('handshake 2 used a ticket twice');
  });

  it('finds a client that holds nothing over a reconnect', async () => {
    session = await startScriptedSession({ stepMs: 5000 });
    // Each connection is a new client, as a page would be that reloads.
    class Forgetful extends WebSocket {
      override send(data: string): void {
        super.send(data.replaceAll(/,"epoch":"\w+","seq":\d+/g, ''));
      }
    }
    watch({ WebSocket: Forgetful });
    const { failures } = await session.finished;
    expect(failures[0]).toBe('the client holds e1:3, but named nothing');
  });

  it('finds a client that comes back before its time', async () => {
    session = await startScriptedSession();
    // Deaf to `bye`, so that its own back-off counts: at most 0.
    class Hasty extends WebSocket {
      override emit(name: string, ...rest: unknown[]): boolean {
        if (name === 'message' && String(rest[0]).includes('"bye"')) return true;
        return super.emit(name, ...rest);
      }
    }
    watch({ WebSocket: Hasty, random: () => 0 });
    const { failures } = await session.finished;
    expect(failures[0]).toMatch(/after "bye" the client reconnected after \d+ ms instead of 1500 ms/);
  });

  it('finds a client that never comes', async () => {
    session = await startScriptedSession({ stepMs: 100 });
    const { failures, attempts } = await session.finished;
    expect(failures).toEqual(['waited 100 ms for the client to connect']);
    expect(attempts).toBe(0);
  });
});
