import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ServerMessage } from '../core/protocol.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { sampleSnapshot } from '../testing/sample-snapshot.ts';
import { createClient } from './client.ts';
import type { ClientSeams, ConnectOptions, ProgressClient } from './client.ts';
import { WebSocket, createScriptedServer, until } from './client.testkit.ts';
import type { ScriptedServer } from './client.testkit.ts';

const { id } = sampleSnapshot();
const running = (seq: number, epoch = 'e1'): ServerMessage => ({
  t: 'ops',
  d: [sampleSnapshot({ epoch, seq })],
});

let server: ScriptedServer;
const clients: ProgressClient[] = [];

beforeEach(async () => {
  server = await createScriptedServer();
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await server.close();
});

function open(options: ConnectOptions = {}, seams: ClientSeams = {}): ProgressClient {
  const client = createClient(
    server.url,
    { WebSocket, ...options },
    { random: () => 0.5, scale: 1 / 5, ...seams },
  );
  clients.push(client);
  return client;
}

const isState = (client: ProgressClient, state: string) => () => client.status.state === state || undefined;

function record(client: ProgressClient): string[] {
  const seen: string[] = [];
  client.watch(id, ({ epoch, seq }) => seen.push(`${epoch}:${seq}`));
  return seen;
}

describe('event stream', () => {
  it('sends all subscriptions in one POST and takes the messages of the protocol', async () => {
    const client = open({ transport: 'sse' });
    const seen = record(client);
    client.watchList('mine', () => undefined);
    const stream = await server.stream(1);
    expect(stream.headers).toMatchObject({ 'content-type': 'application/json' });
    expect(stream.subscriptions).toMatchObject([
      { t: 'sub', ops: [{ op: id }] },
      { t: 'sub', list: 'mine' },
    ]);
    stream.hello('e1');
    await until(isState(client, 'online'));
    expect(client.status).toMatchObject({ code: null, hint: null, transport: 'sse' });
    stream.send(running(3));
    await until(() => seen[0]);
    expect(seen).toEqual(['e1:3']);
    // A stream authenticates itself, so it needs no ticket.
    expect([server.requests, server.upgradeCount]).toEqual([[], 0]);
  });

  it('reads events that arrive in pieces, several at once, and with comments and carriage returns', async () => {
    const client = open({ transport: 'sse' });
    const seen: string[] = [];
    client.watch(id, ({ seq, label }) => seen.push(`${seq} ${label}`));
    const stream = await server.stream(1);
    stream.hello('e1');
    await until(isState(client, 'online'));
    const texts = [1, 2, 3].map(
      (seq) =>
        `: hb\r\n\r\ndata: ${JSON.stringify({ t: 'ops', d: [sampleSnapshot({ seq, label: 'é漢😀' })] })}\r\n\r\n`,
    );
    const bytes = Buffer.from(texts.join(''));
    for (let at = 0; at < bytes.length; at += 7) {
      stream.write(bytes.subarray(at, at + 7));
    }
    await until(() => seen[2]);
    expect(seen).toEqual(['1 é漢😀', '2 é漢😀', '3 é漢😀']);
  });

  it('opens one new stream for several later watches, and names the snapshots it holds', async () => {
    const client = open({ transport: 'sse' });
    const seen = record(client);
    const first = await server.stream(1);
    first.hello('e1');
    first.send(running(3));
    await until(() => seen[0]);
    const states: string[] = [];
    client.onStatus(({ state }) => states.push(state));
    for (const other of ['b', 'c', 'd']) client.watch(other, () => undefined);
    const second = await server.stream(2);
    expect(second.subscriptions).toMatchObject([
      { t: 'sub', ops: [{ op: id, epoch: 'e1', seq: 3 }, { op: 'b' }, { op: 'c' }, { op: 'd' }] },
    ]);
    await until(() => first.isClosed || undefined);
    second.hello('e1');
    second.send(running(4));
    await until(() => seen[1]);
    expect(seen).toEqual(['e1:3', 'e1:4']);
    // The replacement is no loss.
    expect(states).toEqual([]);
  });

  it('drops what is no longer watched together with the next change', async () => {
    const client = open({ transport: 'sse' });
    const stop = client.watch('a', () => undefined);
    (await server.stream(1)).hello('e1');
    await until(isState(client, 'online'));
    stop();
    client.watch('b', () => undefined);
    expect((await server.stream(2)).subscriptions).toMatchObject([{ ops: [{ op: 'b' }] }]);
    expect(server.streams).toHaveLength(2);
  });

  it('names at most 128 operations in a request, and reports the others', async () => {
    const errors: unknown[] = [];
    const client = open({ transport: 'sse', onError: (error) => errors.push(error) });
    for (let number = 0; number < 130; number += 1) client.watch(`op${number}`, () => undefined);
    const { subscriptions } = await server.stream(1);
    expect(subscriptions.map((message) => ('ops' in message ? message.ops.length : 0))).toEqual([64, 64]);
    expect(errors).toMatchObject([{ code: 'too_many_subs' }, { code: 'too_many_subs' }]);
  });

  it('resumes by epoch and seq after a cut, and waits for the time in bye', async () => {
    const client = open({ transport: 'sse' });
    const seen = record(client);
    const first = await server.stream(1);
    first.hello('e1');
    first.send(running(3));
    await until(() => seen[0]);
    first.cut();
    await until(isState(client, 'offline'));
    expect(client.status.code).toBe('closed');
    const second = await server.stream(2);
    expect(second.subscriptions).toMatchObject([{ ops: [{ op: id, epoch: 'e1', seq: 3 }] }]);
    second.hello('e2');
    await until(isState(client, 'online'));
    second.send({ t: 'bye', code: 4503, ms: 250 });
    second.end();
    await until(isState(client, 'offline'));
    expect(client.status.retryInMs).toBeGreaterThan(150);
    (await server.stream(3)).hello('e2');
    await until(isState(client, 'online'));
  });

  it('reports gone, unknown and changed rights as a socket does', async () => {
    const client = open({ transport: 'sse' });
    const gone: string[] = [];
    const rights: unknown[] = [];
    client.onGone((op, why) => gone.push(`${op} ${why}`));
    client.watch(id, (_, may) => rights.push(may));
    const stream = await server.stream(1);
    stream.hello('e1');
    stream.send({
      t: 'ok',
      id: 1,
      res: [
        { op: id, may: { cancel: true } },
        { op: 'x', err: 'not_found' },
      ],
    });
    stream.send(running(1));
    stream.send({ t: 'may', op: id, may: {} });
    stream.send({ t: 'gone', op: id, why: 'revoked' });
    await until(() => gone[1]);
    expect(gone).toEqual(['x not_found', `${id} revoked`]);
    expect(rights).toEqual([{ cancel: true }, {}]);
  });

  it.each([
    [401, 'signed_out', 'no_session'],
    [429, 'stopped', 'too_many_connections'],
    [400, 'stopped', 'other_version'],
    [403, 'stopped', 'forbidden'],
  ])('status %i ends the attempts', async (status, state, code) => {
    server.streamStatus = status;
    const client = open({ transport: 'sse' });
    await until(isState(client, state));
    expect(client.status).toMatchObject({
      code,
      retryInMs: null,
    });
    server.streamStatus = 200;
    client.reconnectNow();
    (await server.stream(1)).hello('e1');
    await until(isState(client, 'online'));
  });

  it('retries after 503, and when a replaced stream still counts among the connections', async () => {
    server.streamStatus = 503;
    const client = open({ transport: 'sse' });
    await until(isState(client, 'offline'));
    server.streamStatus = 200;
    (await server.stream(1)).hello('e1');
    await until(isState(client, 'online'));
    server.streamStatus = 429;
    client.watch('b', () => undefined);
    await until(isState(client, 'offline'));
    server.streamStatus = 200;
    (await server.stream(2)).hello('e1');
    await until(isState(client, 'online'));
    expect(client.status.code).toBeNull();
  });

  it('names an address without event streams', async () => {
    server.streamStatus = 404;
    const client = open({ transport: 'sse' });
    await until(isState(client, 'offline'));
    expect(client.status).toMatchObject({
      code: 'no_stream',
      hint: expect.stringMatching('events') as string,
    });
  });

  it('ends a silent stream, and one without hello', async () => {
    const client = open({ transport: 'sse' }, { scale: 1 / 15 });
    await server.stream(1);
    await until(isState(client, 'offline'));
    expect(client.status.code).toBe('timeout');
    (await server.stream(2)).hello('e1');
    await until(isState(client, 'online'));
    await until(isState(client, 'offline'));
    expect(client.status.code).toBe('silent');
    await until(() => server.streams[1]?.isClosed || undefined);
  });

  it('uses the given address and fetch', async () => {
    const calls: string[] = [];
    const client = createClient(server.url, {
      transport: 'sse',
      events: '/elsewhere/events',
      fetch: (input, init) => {
        calls.push(input as string);
        return fetch(`${server.url}/events`, init);
      },
    });
    clients.push(client);
    (await server.stream(1)).hello('e1');
    await until(isState(client, 'online'));
    expect(calls).toEqual(['/elsewhere/events']);
  });

  it('has no timer and no request after close', async () => {
    const client = open({ transport: 'sse' });
    const stream = await server.stream(1);
    stream.hello('e1');
    await until(isState(client, 'online'));
    client.watch('b', () => undefined);
    client.close();
    await until(() => stream.isClosed || undefined);
    await new Promise((resolve) => {
      setTimeout(resolve, 100);
    });
    expect(server.streams).toHaveLength(1);
    expect(client.status).toMatchObject({ state: 'stopped', code: 'closed_here' });
  });
});

describe('automatic choice of the transport', () => {
  it('stays with a socket that works', async () => {
    const client = open();
    (await server.peer(1)).hello('e1');
    await until(isState(client, 'online'));
    expect(client.status).toMatchObject({ transport: 'websocket', code: null });
    expect(server.requests).toEqual(['POST /progress/ticket']);
    expect(server.streams).toHaveLength(0);
  });

  it('takes a stream after two refused upgrades, and says what blocks sockets', async () => {
    server.upgrades = 'refuse';
    const client = open();
    const seen = record(client);
    const stream = await server.stream(1);
    expect(server.upgradeCount).toBe(2);
    expect(client.status).toMatchObject({ state: 'offline', code: 'unreachable' });
    stream.hello('e1');
    await until(isState(client, 'online'));
    expect(client.status).toMatchObject({
      transport: 'sse',
      code: 'sockets_blocked',
      hint: expect.stringMatching('upgrades') as string,
    });
    stream.send(running(1));
    await until(() => seen[0]);
  });

  it('takes a stream after one upgrade that hangs', async () => {
    server.upgrades = 'hang';
    const client = open({}, { scale: 1 / 15 });
    (await server.stream(1)).hello('e1');
    await until(isState(client, 'online'));
    expect([server.upgradeCount, client.status.code]).toEqual([1, 'sockets_blocked']);
  });

  it('stays with the stream after a cut, and tries a socket again after a stream that fails', async () => {
    server.upgrades = 'refuse';
    const client = open();
    const first = await server.stream(1);
    first.hello('e1');
    await until(isState(client, 'online'));
    first.cut();
    const second = await server.stream(2);
    second.hello('e1');
    await until(isState(client, 'online'));
    expect(server.upgradeCount).toBe(2);
    server.upgrades = 'accept';
    server.streamStatus = 503;
    second.cut();
    (await server.peer(1)).hello('e1');
    await until(isState(client, 'online'));
    expect(client.status).toMatchObject({ transport: 'websocket', code: null });
  });

  it('tries a socket first when the page wakes without a connection', async () => {
    server.upgrades = 'refuse';
    let wake = (): void => undefined;
    const page = {
      isHidden: () => false,
      onWake: (listener: () => void) => {
        wake = listener;
        return () => undefined;
      },
    };
    const client = open({}, { page });
    const first = await server.stream(1);
    first.hello('e1');
    await until(isState(client, 'online'));
    server.upgrades = 'accept';
    first.cut();
    await until(isState(client, 'offline'));
    wake();
    (await server.peer(1)).hello('e1');
    await until(isState(client, 'online'));
    expect(client.status.transport).toBe('websocket');
  });

  it('alternates while the server is away, and blames no proxy', async () => {
    await server.close();
    const client = open({ ticket: null });
    const transports = new Set<string>();
    const codes = new Set<string | null>();
    client.onStatus((status) => {
      transports.add(status.transport);
      codes.add(status.code);
    });
    await until(() => (transports.size === 2 && client.status.state === 'offline') || undefined);
    expect([...codes].filter((code) => code !== null)).toEqual(['unreachable']);
    server = await createScriptedServer();
  });

  it('says that sockets are blocked when the server has no streams either', async () => {
    server.upgrades = 'refuse';
    server.streamStatus = 404;
    const client = open();
    await until(() => (client.status.code === 'sockets_blocked' && server.upgradeCount > 3) || undefined);
    server.upgrades = 'accept';
    (await server.peer(1)).hello('e1');
    await until(isState(client, 'online'));
    expect(client.status.code).toBeNull();
  });

  it('says after three upgrades that sockets are blocked when no other transport is allowed', async () => {
    server.upgrades = 'refuse';
    const client = open({ transport: 'websocket' });
    await until(() => client.status.code === 'sockets_blocked' || undefined);
    expect(server.upgradeCount).toBe(3);
    expect(client.status).toMatchObject({ state: 'offline', transport: 'websocket' });
    expect(server.streams).toHaveLength(0);
  });

  it('uses a stream where the runtime has no WebSocket class', async () => {
    vi.stubGlobal('WebSocket', undefined);
    const client = createClient(server.url, {});
    clients.push(client);
    (await server.stream(1)).hello('e1');
    await until(isState(client, 'online'));
    expect(client.status).toMatchObject({ transport: 'sse', code: null });
    vi.unstubAllGlobals();
  });
});

describe('tickets and actions of serveProgress', () => {
  it('is signed out when the server refuses a ticket with 401', async () => {
    server.answers['/progress/ticket'] = { status: 401, body: { code: 'unauthenticated' } };
    const client = open();
    await until(isState(client, 'signed_out'));
    expect([client.status.code, server.upgradeCount]).toEqual(['no_session', 0]);
  });

  it('stops when the server refuses the page with 403, as behind a proxy that changes Host', async () => {
    server.answers['/progress/ticket'] = { status: 403, body: { code: 'foreign_origin' } };
    const client = open();
    await until(isState(client, 'stopped'));
    expect([client.status.code, server.upgradeCount]).toEqual(['forbidden', 0]);
  });

  it('retries when the request for a ticket fails otherwise', async () => {
    server.answers['/progress/ticket'] = { status: 503, body: { code: 'unavailable' } };
    const client = open();
    await until(isState(client, 'offline'));
    expect(client.status.code).toBe('ticket_failed');
    server.answers['/progress/ticket'] = { status: 200, body: { ticket: 'later' } };
    expect((await server.peer(1)).offered).toContain('wcc.ticket.later');
  });

  it('posts an action with the credentials of fetch', async () => {
    server.answers['/progress/operations/a%2Fb/cancel'] = { status: 204 };
    const client = open({
      fetch: (input, init) => fetch(input, { ...init, headers: { authorization: 'Bearer x' } }),
    });
    await client.act('a/b', 'cancel');
    expect(server.requests).toContain('POST /progress/operations/a%2Fb/cancel Bearer x');
  });

  it('rejects a refused action with the code and hint of the server', async () => {
    server.answers['/progress/operations/a/cancel'] = {
      status: 409,
      body: { code: 'not_in_state', hint: 'It has ended.' },
    };
    const client = open();
    await expect(client.act('a', 'cancel')).rejects.toMatchObject({
      name: 'ClientError',
      code: 'not_in_state',
      hint: 'It has ended.',
    });
    await expect(client.act('b', 'cancel')).rejects.toMatchObject({ code: 'action_failed' });
  });

  it('rejects an action with the error of fetch when no answer comes', async () => {
    const client = open({ fetch: () => Promise.reject(new TypeError('fetch failed')) });
    await expect(client.act('a', 'cancel')).rejects.toThrow(new TypeError('fetch failed'));
  });
});

describe('snapshots', () => {
  async function online(): Promise<{ client: ProgressClient; send: (snapshot: Snapshot) => void }> {
    const client = open({ transport: 'sse' });
    const stream = await server.stream(1);
    stream.hello('e1');
    await until(isState(client, 'online'));
    return { client, send: (snapshot) => server.streams.at(-1)!.send({ t: 'ops', d: [snapshot] }) };
  }

  it('iterates to the terminal snapshot, skips to the newest for a slow reader, and stops watching', async () => {
    const { client, send } = await online();
    const iterator = client.snapshots(id);
    const seen: string[] = [];
    const first = iterator.next();
    (await server.stream(2)).hello('e1');
    send(sampleSnapshot({ seq: 1 }));
    seen.push((await first).value!.state);
    for (const seq of [2, 3]) send(sampleSnapshot({ seq }));
    send(sampleSnapshot({ seq: 4, state: 'succeeded' }));
    await until(() => client.get(id)?.state === 'succeeded' || undefined);
    for await (const snapshot of iterator) seen.push(`${snapshot.seq} ${snapshot.state}`);
    expect(seen).toEqual(['running', '4 succeeded']);
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
    expect((await server.stream(3)).subscriptions).toEqual([]);
  });

  it('ends a read that waits when the loop is left', async () => {
    const { client } = await online();
    const iterator = client.snapshots(id);
    const waiting = iterator.next();
    await iterator.return!();
    expect(await waiting).toEqual({ done: true, value: undefined });
  });

  it('throws the reason when the operation leaves the view', async () => {
    const { client } = await online();
    const waiting = client.snapshots(id).next();
    const stream = await server.stream(2);
    stream.hello('e1');
    stream.send(running(1));
    await waiting;
    const iterator = client.snapshots(id);
    expect((await iterator.next()).value).toMatchObject({ seq: 1 });
    const next = iterator.next();
    stream.send({ t: 'gone', op: id, why: 'deleted' });
    await expect(next).rejects.toMatchObject({ name: 'ClientError', code: 'deleted' });
    expect((await iterator.next()).done).toBe(true);
  });

  it('throws the reason of its signal, and stops watching', async () => {
    const { client } = await online();
    const controller = new AbortController();
    const iterator = client.snapshots(id, { signal: controller.signal });
    const waiting = iterator.next();
    (await server.stream(2)).hello('e1');
    controller.abort(new Error('left the page'));
    await expect(waiting).rejects.toThrow('left the page');
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
    expect((await server.stream(3)).subscriptions).toEqual([]);
    await expect(client.snapshots(id, { signal: controller.signal }).next()).rejects.toThrow('left the page');
  });

  it('throws the code of the status when the client is closed or signed out', async () => {
    const { client } = await online();
    const waiting = client.snapshots(id).next();
    client.close();
    await expect(waiting).rejects.toMatchObject({ code: 'closed_here' });
    await expect(client.snapshots(id).next()).rejects.toMatchObject({ code: 'closed_here' });
    server.streamStatus = 401;
    const other = open({ transport: 'sse' });
    await expect(other.snapshots(id).next()).rejects.toMatchObject({ code: 'no_session' });
  });
});
