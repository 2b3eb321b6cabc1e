import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Rights } from '../core/protocol.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { createClient } from './client.ts';
import type { ConnectOptions, ProgressClient } from './client.ts';
import { sampleSnapshot } from '../testing/sample-snapshot.ts';
import { WebSocket, createScriptedServer, until } from './client.testkit.ts';
import type { ScriptedServer } from './client.testkit.ts';

const id = sampleSnapshot().id;

let server: ScriptedServer;
const clients: ProgressClient[] = [];
/** For tests in which a time limit passes. The others must not meet one on a busy machine. */
const short = 1 / 15;

beforeEach(async () => {
  server = await createScriptedServer();
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await server.close();
});

function open(
  options: ConnectOptions = {},
  { url = server.url, scale = 1 / 5 }: { url?: string; scale?: number } = {},
): ProgressClient {
  let tickets = 0;
  const client = createClient(
    url,
    { WebSocket, transport: 'websocket', ticket: () => Promise.resolve(`ticket-${++tickets}`), ...options },
    { random: () => 0.5, scale },
  );
  clients.push(client);
  return client;
}

const isState = (client: ProgressClient, state: string) => () => client.status.state === state || undefined;

describe('connecting', () => {
  it('offers the protocol and a ticket, and is online after hello', async () => {
    const client = open({}, { scale: 1 });
    const peer = await server.peer(1);
    expect(peer.offered.replaceAll(' ', '')).toBe('wcc.v1,wcc.ticket.ticket-1');
    expect(client.status.state).toBe('connecting');
    peer.hello('e1');
    await until(isState(client, 'online'));
    expect(client.status).toMatchObject({ code: null, retryInMs: null });
  });

  it('requests a new ticket for each attempt', async () => {
    open();
    (await server.peer(1)).socket.terminate();
    expect((await server.peer(2)).offered).toContain('wcc.ticket.ticket-2');
  });

  it('ends an attempt without hello', async () => {
    const client = open({}, { scale: short });
    await server.peer(1);
    await until(isState(client, 'offline'));
    expect(client.status.code).toBe('timeout');
    await server.peer(2);
  });

  it('aborts a hanging ticket request and requests again', async () => {
    const signals: AbortSignal[] = [];
    open({
      ticket: (signal) => {
        signals.push(signal);
        // The first request hangs until it is aborted, like one on a dead connection.
        return signals.length > 1
          ? Promise.resolve('t')
          : new Promise((_resolve, reject) => {
              signal.addEventListener('abort', () => reject(new Error('aborted')));
            });
      },
    });
    await server.peer(1);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
  });

  it('is signed out without a ticket until reconnectNow is called', async () => {
    let ticket: string | null = null;
    const client = open({ ticket: () => Promise.resolve(ticket) });
    await until(isState(client, 'signed_out'));
    expect(server.peers).toHaveLength(0);
    ticket = 'fresh';
    client.reconnectNow();
    (await server.peer(1)).hello('e1');
    await until(isState(client, 'online'));
  });

  it('retries when the ticket request fails', async () => {
    let isDown = true;
    const client = open({
      ticket: () => (isDown ? Promise.reject(new Error('down')) : Promise.resolve('t')),
    });
    await until(isState(client, 'offline'));
    expect(client.status.code).toBe('ticket_failed');
    isDown = false;
    await server.peer(1);
  });
});

describe('watching', () => {
  it('subscribes once for many listeners, replays the last value, and unsubscribes with the last listener', async () => {
    const client = open();
    const peer = await server.peer(1);
    peer.hello('e1');
    await until(isState(client, 'online'));
    const first: Snapshot[] = [];
    const stops = [client.watch(id, (snapshot) => first.push(snapshot)), client.watch(id, () => undefined)];
    expect(await peer.received(1)).toEqual([{ t: 'sub', id: 1, ops: [{ op: id }] }]);
    peer.send({ t: 'ops', d: [sampleSnapshot()] });
    await until(() => first[0]);
    const late: Snapshot[] = [];
    stops.push(client.watch(id, (snapshot) => late.push(snapshot)));
    expect(late).toHaveLength(1);
    stops[0]?.();
    stops[1]?.();
    stops[2]?.();
    expect(await peer.received(2)).toHaveLength(2);
    expect(peer.messages[1]).toEqual({ t: 'unsub', id: 2, ops: [id] });
  });

  it('subscribes to 200 operations in messages of at most 64', async () => {
    const client = open();
    const peer = await server.peer(1);
    peer.hello('e1');
    await until(isState(client, 'online'));
    for (let number = 0; number < 200; number += 1) client.watch(`op${number}`, () => undefined);
    const sizes = (await peer.received(4)).map((message) => ('ops' in message ? message.ops.length : 0));
    expect(sizes).toEqual([64, 64, 64, 8]);
  });

  it('passes rights with the snapshot, and again when they change', async () => {
    const client = open();
    const peer = await server.peer(1);
    const seen: (Rights | null)[] = [];
    client.watchList('all', (_, may) => seen.push(may));
    peer.hello('e1');
    expect(await peer.received(1)).toMatchObject([{ t: 'sub', list: 'all' }]);
    peer.send({ t: 'ok', id: 1, list: 'all', res: [{ op: id, may: { cancel: true } }] });
    peer.send({ t: 'ops', d: [sampleSnapshot()] });
    peer.send({ t: 'may', op: id, may: { cancel: false } });
    await until(() => seen[1]);
    expect(seen).toEqual([{ cancel: true }, { cancel: false }]);
  });

  it('never passes an older snapshot, whatever the order of messages', async () => {
    const client = open();
    const peer = await server.peer(1);
    const seen: string[] = [];
    client.watch(id, ({ epoch, seq }) => seen.push(`${epoch}:${seq}`));
    peer.hello('e1');
    for (const seq of [3, 2, 3, 5, 4, 1, 6]) peer.send({ t: 'ops', d: [sampleSnapshot({ seq })] });
    await until(() => seen.find((each) => each === 'e1:6'));
    expect(seen).toEqual(['e1:3', 'e1:5', 'e1:6']);
    // A late HTTP answer of the same epoch, then of an old epoch.
    client.offer(sampleSnapshot({ seq: 2 }));
    client.offer(sampleSnapshot({ epoch: 'e0', seq: 99 }));
    expect(client.get(id)?.seq).toBe(6);
  });

  it('keeps newer rights when the answer to a POST is late', async () => {
    const client = open();
    const peer = await server.peer(1);
    const seen: (Rights | null)[] = [];
    client.watchList('all', (_, may) => seen.push(may));
    peer.hello('e1');
    peer.send({ t: 'may', op: id, may: { pause: true } });
    peer.send({ t: 'ops', d: [sampleSnapshot({ seq: 2 })] });
    await until(() => client.get(id));
    client.offer(sampleSnapshot({ seq: 1, state: 'queued' }), { pause: false });
    expect(seen).toEqual([{ pause: true }]);
    client.offer(sampleSnapshot({ seq: 2 }), { pause: true, cancel: true });
    expect(seen.at(-1)).toEqual({ pause: true, cancel: true });
  });

  it('reports operations that the server does not know or removes', async () => {
    const client = open();
    const peer = await server.peer(1);
    const gone: string[] = [];
    client.onGone((op, why) => gone.push(`${op} ${why}`));
    client.watch(id, () => undefined);
    peer.hello('e1');
    peer.send({ t: 'ok', id: 1, res: [{ op: 'x', err: 'not_found' }] });
    peer.send({ t: 'ops', d: [sampleSnapshot()] });
    peer.send({ t: 'gone', op: id, why: 'revoked' });
    await until(() => gone[1]);
    expect(gone).toEqual(['x not_found', `${id} revoked`]);
    expect(client.get(id)).toBeUndefined();
  });

  it('subscribes again after the wait that an error names', async () => {
    const client = open();
    const peer = await server.peer(1);
    client.watch(id, () => undefined);
    peer.hello('e1');
    await peer.received(1);
    peer.send({ t: 'err', id: 1, code: 'rate', retry: true, ms: 30 });
    expect((await peer.received(2))[1]).toMatchObject({ t: 'sub', ops: [{ op: id }] });
  });

  it('calls the other listeners when one throws', async () => {
    const errors: unknown[] = [];
    const client = open({ onError: (error) => errors.push(error) });
    const peer = await server.peer(1);
    const seen: Snapshot[] = [];
    client.watch(id, () => {
      throw new Error('mine');
    });
    client.watch(id, (snapshot) => seen.push(snapshot));
    peer.hello('e1');
    peer.send({ t: 'ops', d: [sampleSnapshot()] });
    await until(() => seen[0]);
    expect(errors).toMatchObject([{ message: 'mine' }]);
  });
});

describe('ending', () => {
  it('stops a watch by its signal, also when a listener aborts it at its first call', async () => {
    const client = open();
    const peer = await server.peer(1);
    peer.hello('e1');
    await until(isState(client, 'online'));
    const seen: number[] = [];
    const watching = new AbortController();
    client.watch(id, ({ seq }) => seen.push(seq), { signal: watching.signal });
    peer.send({ t: 'ops', d: [sampleSnapshot({ seq: 1 })] });
    await until(() => seen[0]);
    const once = new AbortController();
    client.watchList(
      'all',
      () => {
        seen.push(-1);
        once.abort();
      },
      { signal: once.signal },
    );
    watching.abort();
    expect(client.watch(id, () => seen.push(-2), { signal: watching.signal })).toBeTypeOf('function');
    const messages = await peer.received(4);
    expect(messages.slice(1)).toMatchObject([
      { t: 'sub', list: 'all' },
      { t: 'unsub', list: 'all' },
      { t: 'unsub', ops: [id] },
    ]);
    peer.send({ t: 'ops', d: [sampleSnapshot({ seq: 2 })] });
    await until(() => client.get(id)?.seq === 2 || undefined);
    expect(seen).toEqual([1, -1]);
  });

  it.each(['signal', 'dispose', 'close'] as const)('closes the client by %s', async (way) => {
    const closing = new AbortController();
    const client = open({ signal: closing.signal });
    const peer = await server.peer(1);
    peer.hello('e1');
    await until(isState(client, 'online'));
    if (way === 'signal') closing.abort();
    else if (way === 'close') client.close();
    else client[Symbol.dispose]();
    expect(client.status).toMatchObject({ state: 'stopped', code: 'closed_here', retryInMs: null });
    await until(() => peer.socket.readyState === peer.socket.CLOSED || undefined);
  });

  it('does not connect when its signal is already aborted', async () => {
    const client = open({ signal: AbortSignal.abort() });
    expect(client.status).toMatchObject({ state: 'stopped', code: 'closed_here' });
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
    expect(server.peers).toHaveLength(0);
  });

  it('reports an operation beyond the limit with code and hint', async () => {
    const errors: unknown[] = [];
    const client = open({ onError: (error) => errors.push(error) });
    const peer = await server.peer(1);
    client.watch(id, () => undefined);
    peer.hello('e1');
    peer.send({ t: 'ok', id: 1, res: [{ op: id, err: 'too_many_subs' }] });
    await until(() => errors[0]);
    expect(errors).toMatchObject([
      { name: 'ClientError', code: 'too_many_subs', hint: expect.stringMatching('list') as string },
    ]);
  });
});

describe('reconnecting', () => {
  it('resumes by epoch and seq, and accepts a new epoch with a lower seq', async () => {
    const client = open();
    const peer = await server.peer(1);
    const seen: string[] = [];
    client.watch(id, ({ epoch, seq }) => seen.push(`${epoch}:${seq}`));
    peer.hello('e1');
    peer.send({ t: 'ops', d: [sampleSnapshot({ seq: 17 })] });
    await until(() => seen[0]);
    peer.socket.terminate();
    await until(isState(client, 'offline'));
    const second = await server.peer(2);
    second.hello('e2');
    expect(await second.received(1)).toMatchObject([{ t: 'sub', ops: [{ op: id, epoch: 'e1', seq: 17 }] }]);
    second.send({ t: 'ops', d: [sampleSnapshot({ epoch: 'e2', seq: 1 })] });
    await until(() => seen[1]);
    expect(seen).toEqual(['e1:17', 'e2:1']);
  });

  it('passes nothing twice when a new connection repeats the same rights', async () => {
    const client = open();
    const first = await server.peer(1);
    const received: string[] = [];
    client.watch(id, ({ seq }, may) => received.push(`${seq} ${JSON.stringify(may)}`));
    first.hello('e1');
    first.send({ t: 'ok', id: 1, res: [{ op: id, may: { cancel: true } }] });
    first.send({ t: 'ops', d: [sampleSnapshot({ seq: 4 })] });
    await until(() => received[0]);
    first.socket.terminate();
    const second = await server.peer(2);
    second.hello('e1');
    second.send({ t: 'ok', id: 2, res: [{ op: id, may: { cancel: true, pause: false } }] });
    second.send({ t: 'ops', d: [sampleSnapshot({ seq: 5 })] });
    second.send({ t: 'may', op: id, may: {} });
    await until(() => received[2]);
    expect(received).toEqual(['4 {"cancel":true}', '5 {"cancel":true}', '5 {}']);
    // The answer to a POST without any change.
    client.offer(sampleSnapshot({ seq: 5 }), {});
    expect(received).toHaveLength(3);
  });

  it('requests operations that ran before and are missing from the list', async () => {
    const client = open();
    const first = await server.peer(1);
    client.watchList('all', () => undefined);
    first.hello('e1');
    first.send({
      t: 'ops',
      d: [sampleSnapshot({ seq: 4 }), sampleSnapshot({ id: 'done', state: 'succeeded' })],
    });
    await until(() => client.get('done'));
    first.socket.terminate();
    const second = await server.peer(2);
    second.hello('e1');
    await second.received(1);
    second.send({ t: 'ok', id: 2, list: 'all', res: [] });
    expect((await second.received(2))[1]).toMatchObject({ t: 'sub', ops: [{ op: id, epoch: 'e1', seq: 4 }] });
  });

  it('waits for the time in bye', async () => {
    const client = open();
    const peer = await server.peer(1);
    peer.hello('e1');
    await until(isState(client, 'online'));
    peer.send({ t: 'bye', code: 4503, ms: 250 });
    peer.socket.close(4503);
    await until(isState(client, 'offline'));
    expect(client.status.retryInMs).toBeGreaterThan(150);
    const lostAt = performance.now();
    await server.peer(2);
    expect(performance.now() - lostAt).toBeGreaterThan(150);
  });

  it.each([
    [4401, 'signed_out', 'no_session'],
    [4409, 'stopped', 'too_many_connections'],
    [4400, 'stopped', 'other_version'],
  ])('does not reconnect after close code %i', async (closeCode, state, code) => {
    const client = open();
    const peer = await server.peer(1);
    peer.hello('e1');
    await until(isState(client, 'online'));
    peer.socket.close(closeCode);
    await until(isState(client, state));
    expect(client.status).toMatchObject({ code, retryInMs: null });
    await new Promise((resolve) => {
      setTimeout(resolve, 150);
    });
    expect(server.peers).toHaveLength(1);
    client.reconnectNow();
    await server.peer(2);
  });

  it('detects and closes a silent connection', async () => {
    const client = open({}, { scale: short });
    const peer = await server.peer(1);
    peer.hello('e1');
    await until(isState(client, 'online'));
    // The server sends nothing more, but the TCP connection stays open.
    await until(isState(client, 'offline'));
    expect(client.status.code).toBe('silent');
    const second = await server.peer(2);
    second.hello('e1');
    await until(isState(client, 'online'));
    // Late messages of the old connection are ignored.
    peer.send({ t: 'ops', d: [sampleSnapshot({ id: 'ghost' })] });
    second.send({ t: 'ops', d: [sampleSnapshot({ id: 'real' })] });
    await until(() => client.get('real'));
    expect(client.get('ghost')).toBeUndefined();
  });

  it('retries with a server that accepts connections but sends nothing', async () => {
    const sockets: Socket[] = [];
    const mute = createServer((socket) => sockets.push(socket.on('error', () => undefined)));
    await new Promise<void>((resolve) => {
      mute.listen(0, '127.0.0.1', resolve);
    });
    const { port } = mute.address() as AddressInfo;
    const client = open({}, { url: `ws://127.0.0.1:${port}/api/ws`, scale: short });
    await until(() => sockets[1]);
    expect(client.status).toMatchObject({ state: 'offline', code: 'timeout' });
    client.close();
    for (const socket of sockets) socket.destroy();
    mute.close();
  });
});
