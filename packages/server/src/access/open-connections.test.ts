import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createOpenConnections } from './open-connections.ts';
import type { ConnectionUse, OpenConnection, OpenConnections } from './open-connections.ts';
import type { Principal } from './principal.ts';

function principalOf(sessionKey: string, expiresAtMs: number | null = null): Principal {
  return {
    kind: 'session',
    userId: `user of ${sessionKey}`,
    userName: 'ann',
    role: 'operator',
    sessionKey,
    sessionVersion: 1,
    scope: 'write',
    limitedTo: null,
    lentBy: null,
    expiresAtMs,
    address: '192.0.2.1',
    tokenName: null,
  };
}

class Carrier extends EventEmitter {
  destroyed = false;
  movedBytes = 0;
  cuts = 0;
  close(): void {
    this.destroyed = true;
    this.emit('close');
  }
}

interface Opened {
  carrier: Carrier;
  connection: OpenConnection | null;
}

function open(connections: OpenConnections, principal: Principal, use: ConnectionUse = 'traffic'): Opened {
  const carrier = new Carrier();
  const cut = (): void => {
    carrier.cuts += 1;
    carrier.close();
  };
  const opening = connections.begin({ carrier, cut, use, movedBytes: () => carrier.movedBytes });
  return { carrier, connection: opening.admit(principal) };
}

const isA = ({ sessionKey }: Principal): boolean => sessionKey === 'a';
const sees = (): boolean => false;

it('an end aborts the matching connections at once and cuts them within a second', async () => {
  const connections = createOpenConnections();
  const [a, b] = [open(connections, principalOf('a')), open(connections, principalOf('b'))];
  connections.end(isA);
  expect([a.connection?.signal.aborted, b.connection?.signal.aborted]).toEqual([true, false]);
  expect(connections.principals().map(({ sessionKey }) => sessionKey)).toEqual(['b']);
  await sleep(1000);
  expect([a.carrier.cuts, b.carrier.cuts]).toEqual([1, 0]);
});

it('a connection that closes by itself is not cut', async () => {
  const connections = createOpenConnections();
  const { carrier } = open(connections, principalOf('a'));
  connections.end(isA);
  carrier.close();
  await sleep(600);
  expect(carrier.cuts).toBe(0);
});

it('SH4: an end between the beginning and the admission refuses the connection', () => {
  const connections = createOpenConnections();
  const begin = (): ReturnType<OpenConnections['begin']> =>
    connections.begin({ carrier: new Carrier(), cut: () => {}, use: 'traffic' });
  const [first, second] = [begin(), begin()];
  connections.end(isA);
  expect(first.admit(principalOf('a'))).toBeNull();
  expect(second.admit(principalOf('b'))).not.toBeNull();
  // A later opening asks the store, which knows the end.
  expect(begin().admit(principalOf('a'))).not.toBeNull();
});

it('a carrier that closed during the look-up is not registered', () => {
  const connections = createOpenConnections();
  const carrier = new Carrier();
  const opening = connections.begin({ carrier, cut: () => {}, use: 'traffic' });
  carrier.close();
  expect(opening.admit(principalOf('a'))).toBeNull();
  expect(connections.principals()).toEqual([]);
});

it('expiry ends connections by the clock', () => {
  const connections = createOpenConnections();
  const [a, b] = [open(connections, principalOf('a', 5000)), open(connections, principalOf('b'))];
  connections.endExpired(4999);
  expect(a.connection?.signal.aborted).toBe(false);
  connections.endExpired(5000);
  expect([a.connection?.signal.aborted, b.connection?.signal.aborted]).toEqual([true, false]);
});

it('SM3: traffic counts as use of the session, and an open connection without it does not', () => {
  const connections = createOpenConnections();
  const { carrier } = open(connections, principalOf('a'));
  open(connections, principalOf('silent'));
  expect(connections.takeUsed(sees)).toEqual([]);
  carrier.movedBytes += 1;
  expect(connections.takeUsed(sees)).toEqual(['a']);
  expect(connections.takeUsed(sees)).toEqual([]);
  carrier.movedBytes += 1;
  carrier.close();
  expect(connections.takeUsed(sees)).toEqual(['a']);
});

it('SM3: watching counts as use only while something visible is running', () => {
  const connections = createOpenConnections();
  const { carrier } = open(connections, principalOf('a'), 'watching');
  carrier.movedBytes += 1000;
  expect(connections.takeUsed(sees)).toEqual([]);
  expect(connections.takeUsed(isA)).toEqual(['a']);
});

it('SM3: a screen counts as use only by its input, and not after its end', () => {
  const connections = createOpenConnections();
  const { carrier, connection } = open(connections, principalOf('a'), 'nothing');
  carrier.movedBytes += 1000;
  expect(connections.takeUsed(() => true)).toEqual([]);
  connection?.noteUse();
  expect(connections.takeUsed(sees)).toEqual(['a']);
  connections.end(isA);
  connection?.noteUse();
  expect(connections.takeUsed(sees)).toEqual([]);
});
