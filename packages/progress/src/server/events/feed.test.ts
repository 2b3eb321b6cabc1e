import { afterEach, describe, expect, it } from 'vitest';
import type { ServerMessage } from '@wcc/progress/protocol';
import { createEventStreams } from '../event-streams.ts';
import { createHub } from '../hub.ts';
import type { Hub } from '../hub.ts';
import { copyRecord, ended, moved, newId } from '../testkit/record.testkit.ts';
import type { EventStreams, EventStreamsOptions } from './options.ts';

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

const revoked = new Set<string>();
const soon = { timeout: 8000, interval: 5 };

interface Under {
  hub: Hub;
  streams: EventStreams<string>;
  open: (subs: unknown, signal?: AbortSignal) => Promise<Feed>;
}

/** A feed whose reader decides when it reads. */
interface Feed {
  status: number;
  code: string | null;
  messages: ServerMessage[];
  isOver(): boolean;
  /** Reads one chunk. */
  read(): Promise<void>;
  /** Reads until the end. */
  readAll(): void;
  cancel(): Promise<void>;
}

function start(changes: Partial<EventStreamsOptions<string>> = {}): Under {
  const hub = createHub({ tickMs: 20 });
  const streams = createEventStreams<string>({
    hub,
    user: (user) => ({ user, session: user, expiresAtMs: null }),
    authorize: (user, _watch, { owner, id }) => owner === user && !revoked.has(id),
    may: () => ({ cancel: true }),
    ...changes,
  });
  ends.push(() => {
    streams.shutdown();
    hub.close();
  });
  return {
    hub,
    streams,
    open: async (subs, signal = new AbortController().signal) =>
      feedOf(await streams.respond(new Request('http://localhost/', { signal }), { principal: 'ann', subs })),
  };
}

async function feedOf(response: Response): Promise<Feed> {
  const messages: ServerMessage[] = [];
  if (response.status !== 200) {
    const { code } = (await response.json()) as { code: string };
    return { ...closedFeed, status: response.status, code, messages };
  }
  const reader = response.body!.getReader();
  let isOver = false;
  const read = async (): Promise<void> => {
    const { done, value } = await reader.read();
    isOver = done;
    for (const [, data = ''] of new TextDecoder().decode(value).matchAll(/^data: (.*)\n\n/gm))
      messages.push(JSON.parse(data) as ServerMessage);
  };
  const readAll = (): void => void read().then(() => isOver || readAll());
  return {
    status: 200,
    code: null,
    messages,
    isOver: () => isOver,
    read,
    readAll,
    cancel: () => reader.cancel(),
  };
}

const closedFeed = {
  isOver: () => true,
  read: async () => undefined,
  readAll: () => undefined,
  cancel: async () => undefined,
};

const kinds = ({ messages }: Feed): string[] => messages.map(({ t }) => t);
const last = ({ messages }: Feed): unknown => messages.findLast(({ t }) => t === 'ops');

describe('a feed of all that a client watches', () => {
  it('has the messages of a socket: hello, one ok for each sub, then snapshots to the end', async () => {
    const { hub, open } = start();
    const [own, foreign] = [copyRecord({ owner: 'ann' }), copyRecord({ owner: 'bob' })];
    for (const record of [own, foreign]) hub.put(record);
    const feed = await open([
      { t: 'sub', id: 7, ops: [{ op: own.id }, { op: foreign.id }, { op: newId() }] },
      { t: 'sub', id: 8, list: 'mine' },
    ]);
    feed.readAll();
    await expect.poll(() => kinds(feed), soon).toContain('ops');
    expect(feed.messages.slice(0, 2)).toMatchObject([
      { t: 'hello', epoch: hub.epoch },
      {
        t: 'ok',
        id: 7,
        res: [{ op: own.id, may: { cancel: true } }, { err: 'not_found' }, { err: 'not_found' }],
      },
    ]);
    await expect
      .poll(() => feed.messages, soon)
      .toContainEqual(expect.objectContaining({ t: 'ok', id: 8, list: 'mine' }));
    hub.put(ended(moved(own, 1000)));
    await expect.poll(() => last(feed), soon).toMatchObject({ d: [{ id: own.id, state: 'succeeded' }] });
    expect(feed.isOver()).toBe(false);
  });

  it('does not send what the client holds, and says so', async () => {
    const { hub, open } = start();
    const { id, epoch, seq } = hub.put(copyRecord({ owner: 'ann' }));
    const feed = await open([{ t: 'sub', id: 1, ops: [{ op: id, epoch, seq }] }]);
    feed.readAll();
    await expect.poll(() => feed.messages[1], soon).toMatchObject({ res: [{ op: id, cur: true }] });
  });

  it('holds one snapshot for a client that does not read, and sends it the newest', async () => {
    const { hub, streams, open } = start();
    let record = copyRecord({ owner: 'ann' });
    hub.put(record);
    const feed = await open([{ t: 'sub', id: 1, ops: [{ op: record.id }] }]);
    for (let done = 1; done <= 60; done += 1) {
      const before = hub.get(record.id)?.seq ?? 0;
      hub.put((record = moved(record, done)));
      hub.flush();
      expect(hub.get(record.id)?.seq).toBeGreaterThan(before);
    }
    expect(streams.stats().awaitingPong).toBe(1);
    feed.readAll();
    await expect.poll(() => last(feed), soon).toMatchObject({ d: [{ phases: [{}, { done: 60 }, {}, {}] }] });
    expect(kinds(feed).filter((kind) => kind === 'ops').length).toBeLessThan(6);
  });

  it('closes a client that reads nothing for too long', async () => {
    const { hub, streams, open } = start({ limits: { pongMs: 100 } });
    const record = copyRecord({ owner: 'ann' });
    hub.put(record);
    await open([{ t: 'sub', id: 1, ops: [{ op: record.id }] }]);
    await expect.poll(() => streams.connections, soon).toBe(0);
  });

  it.each([
    ['an object', {}],
    ['another message', [{ t: 'unsub', id: 1, ops: ['x'] }]],
    ['a sub without id', [{ t: 'sub', list: 'all' }]],
    [
      'too many operations',
      Array.from({ length: 3 }, (_, id) => ({
        t: 'sub',
        id,
        ops: Array.from({ length: 64 }, () => ({ op: 'x' })),
      })),
    ],
  ])('refuses %s as malformed', async (_what, subs) => {
    const { streams, open } = start();
    expect(await open(subs)).toMatchObject({ status: 400, code: 'malformed' });
    expect(streams.connections).toBe(0);
  });

  it('ends with its session, on cancel of the reader, and when the request aborts; each frees the quota', async () => {
    const { streams, open } = start({ limits: { socketsPerUser: 3 } });
    const aborting = new AbortController();
    const [ending, cancelled] = [await open([]), await open([]), await open([], aborting.signal)];
    expect(await open([])).toMatchObject({ status: 429, code: 'too_many_watchers' });
    await cancelled.cancel();
    aborting.abort();
    expect(streams.connections).toBe(1);
    ending.readAll();
    expect(streams.closeSessions((user) => user === 'ann')).toBe(1);
    await expect.poll(() => ending.isOver(), soon).toBe(true);
    expect(streams.connections).toBe(0);
    expect((await open([])).status).toBe(200);
  });

  it('sends gone after a revoked right, and bye at the shutdown', async () => {
    const { hub, streams, open } = start();
    const record = copyRecord({ owner: 'ann' });
    hub.put(record);
    const feed = await open([{ t: 'sub', id: 1, ops: [{ op: record.id }] }]);
    feed.readAll();
    await expect.poll(() => kinds(feed), soon).toContain('ops');
    revoked.add(record.id);
    hub.reauthorize();
    await expect.poll(() => feed.messages.at(-1), soon).toEqual({ t: 'gone', op: record.id, why: 'revoked' });
    streams.shutdown({ reconnectAfterMs: 500 });
    await expect.poll(() => feed.isOver(), soon).toBe(true);
    expect(feed.messages.at(-1)).toMatchObject({ t: 'bye', code: 4503 });
    expect(await open([])).toMatchObject({ status: 503, code: 'shutting_down' });
  });

  it('refuses a foreign page', async () => {
    const { streams } = start();
    const headers = { 'sec-fetch-site': 'cross-site' };
    const request = new Request('http://localhost/', { headers });
    expect((await streams.respond(request, { principal: 'ann', subs: [] })).status).toBe(403);
  });
});
