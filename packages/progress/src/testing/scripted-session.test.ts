import { afterEach, describe, expect, it } from 'vitest';
import type { Snapshot } from '@wcc/progress';
import { WebSocket } from 'ws';
import { createClient } from '../client/client.ts';
import type { ClientSeams, ConnectOptions, ProgressClient } from '../client/client.ts';
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

function watch(options: ConnectOptions = {}, seams: ClientSeams = {}): Snapshot[] {
  const taken: Snapshot[] = [];
  client = createClient(
    session.url,
    { ticket: askTicket, WebSocket, transport: 'websocket', ...options },
    seams,
  );
  client.watch(session.operation, (snapshot) => taken.push(snapshot));
  return taken;
}

describe('scripted session', () => {
  it('passes the client of this package', async () => {
    session = await startScriptedSession();
    const taken = watch();
    expect(await session.finished).toEqual({ failures: [], attempts: 5 });
    expect(taken).toEqual(session.taken);
  });

  it('reports a client that uses its ticket twice', async () => {
    session = await startScriptedSession();
    const once = askTicket();
    watch({ ticket: () => once });
    const { failures } = await session.finished;
    expect(failures).toContain('handshake 2 used a ticket twice');
  });

  it('reports a client that names no snapshot after a reconnect', async () => {
    session = await startScriptedSession({ stepMs: 5000 });
    // Removes the version from each subscription, as if the client had none.
    class Forgetful extends WebSocket {
      override send(data: string): void {
        super.send(data.replaceAll(/,"epoch":"\w+","seq":\d+/g, ''));
      }
    }
    watch({ WebSocket: Forgetful });
    const { failures } = await session.finished;
    expect(failures[0]).toBe('the client holds e1:3, but named nothing');
  });

  it('reports a client that reconnects too early after bye', async () => {
    session = await startScriptedSession();
    // Ignores `bye`, so its own back-off of 0 ms counts.
    class Hasty extends WebSocket {
      override emit(name: string, ...rest: unknown[]): boolean {
        if (name === 'message' && String(rest[0]).includes('"bye"')) return true;
        return super.emit(name, ...rest);
      }
    }
    watch({ WebSocket: Hasty }, { random: () => 0 });
    const { failures } = await session.finished;
    expect(failures[0]).toMatch(/after "bye" the client reconnected after \d+ ms instead of 1500 ms/);
  });

  it('reports a client that never connects', async () => {
    session = await startScriptedSession({ stepMs: 100 });
    const { failures, attempts } = await session.finished;
    expect(failures).toEqual(['waited 100 ms for the client to connect']);
    expect(attempts).toBe(0);
  });
});
