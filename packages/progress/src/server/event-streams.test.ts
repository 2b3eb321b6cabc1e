import { createServer, request } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Writable } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import type { Snapshot } from '@wcc/progress';
import { createEventStreams, serveEvents } from './event-streams.ts';
import type { EventStreams, EventStreamsOptions } from './events/options.ts';
import { createHub } from './hub.ts';
import type { Hub } from './hub.ts';
import { copyRecord, ended, moved, newId } from './testkit/record.testkit.ts';
import type { WatchIdentity } from './gateway/options.ts';

const hubs: Hub[] = [];
const servers: Server[] = [];
const gateways: EventStreams<WatchIdentity>[] = [];
const revoked = new Set<string>();

afterEach(async () => {
  for (const gateway of gateways.splice(0)) gateway.shutdown();
  for (const hub of hubs.splice(0)) hub.close();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  revoked.clear();
});

type Changes = Partial<EventStreamsOptions<WatchIdentity>>;

function optionsOf(changes: Changes = {}): EventStreamsOptions<WatchIdentity> {
  const hub = changes.hub ?? createHub({ tickMs: 20 });
  hubs.push(hub);
  return {
    hub,
    user: (principal) => principal,
    authorize: ({ user }, _action, { id, owner }) => owner === user && !revoked.has(id),
    ...changes,
  };
}

/** Waits until the condition holds, limited by the test's timeout. */
async function until(isSo: () => boolean): Promise<void> {
  await expect.poll(isSo, { timeout: 15_000, interval: 5 }).toBe(true);
}

const principal: WatchIdentity = { user: 'u1', session: 's1', expiresAtMs: null };

interface Under {
  hub: Hub;
  streams: EventStreams<WatchIdentity>;
  read: (id: string, headers?: Record<string, string>) => Promise<Reader>;
}

async function start(changes: Changes = {}, who: WatchIdentity = principal): Promise<Under> {
  const options = optionsOf(changes);
  const streams = createEventStreams(options);
  gateways.push(streams);
  const port = await listen((incoming, response) => {
    const operation = (incoming.url ?? '').slice(1);
    void streams.serve(incoming, response, { principal: who, operation });
  });
  return { hub: options.hub, streams, read: (id, headers = {}) => read(port, { id, headers }) };
}

async function listen(serve: (request: IncomingMessage, response: ServerResponse) => void): Promise<number> {
  const server = createServer(serve);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

interface Reader {
  status: number;
  text(): string;
  snapshots(): Snapshot[];
  isOver(): boolean;
  close(): void;
}

function read(
  port: number,
  { id, headers }: { id: string; headers: Record<string, string> },
): Promise<Reader> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ port, path: `/${id}`, headers, agent: false }, (response) => {
      let text = '';
      let isOver = false;
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('close', () => (isOver = true));
      response.on('error', () => undefined); // `close` follows
      resolve({
        status: response.statusCode ?? 0,
        text: () => text,
        snapshots: () => snapshotsIn(text),
        isOver: () => isOver,
        close: () => outgoing.destroy(),
      });
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
}

function snapshotsIn(text: string): Snapshot[] {
  const found = text.matchAll(/^event: op\ndata: (.*)\n\n/gm);
  return [...found].map(([, data = '']) => JSON.parse(data) as Snapshot);
}

/** A response whose socket accepts no bytes until the test releases it. */
class StalledResponse extends Writable {
  readonly taken: string[] = [];
  #take: (() => void) | null = null;

  constructor() {
    super({ highWaterMark: 1 });
  }

  writeHead(): this {
    return this;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#take = () => {
      this.taken.push(chunk.toString());
      done();
    };
  }

  take(): void {
    this.#take?.();
  }
}

describe('event streams: flow control', () => {
  it('streams an operation with an id of the host to its end', async () => {
    const { hub, read: open } = await start();
    const record = copyRecord({ id: 'job:42' });
    hub.put(record);
    const reader = await open('job:42');
    await until(() => reader.snapshots().length > 0);
    hub.put(ended(record));
    await until(() => reader.isOver());
    expect(reader.snapshots().at(-1)).toMatchObject({ id: 'job:42', state: 'succeeded' });
  });

  it('keeps only the newest snapshot while the client reads nothing, then sends it', async () => {
    const { hub, streams } = await start();
    let record = copyRecord();
    hub.put(record);
    const response = new StalledResponse();
    const serving = streams.serve({ headers: {} } as IncomingMessage, response as unknown as ServerResponse, {
      principal,
      operation: record.id,
    });
    await serving;
    for (let done = 1; done <= 100; done += 1) {
      const before = hub.get(record.id)?.seq ?? 0;
      record = moved(record, done);
      hub.put(record);
      await until(() => (hub.get(record.id)?.seq ?? 0) > before);
    }
    expect(response.writableLength).toBeLessThan(100);
    expect(streams.stats()).toMatchObject({ connections: 1, awaitingPong: 1 });
    await until(() => {
      response.take();
      return snapshotsIn(response.taken.join('')).length > 0;
    });
    const [first] = snapshotsIn(response.taken.join(''));
    expect(first?.phases[1]).toMatchObject({ done: 100 });
    response.destroy();
  });

  it('destroys the stream of a client that reads nothing for too long', async () => {
    const { hub, streams } = await start({ limits: { pongMs: 100 } });
    const record = copyRecord();
    hub.put(record);
    const response = new StalledResponse();
    const incoming = { headers: {} } as IncomingMessage;
    await streams.serve(incoming, response as unknown as ServerResponse, { principal, operation: record.id });
    await until(() => response.destroyed);
    expect(streams.connections).toBe(0);
  });

  it('sends a heartbeat', async () => {
    const { hub, read: open } = await start({ limits: { heartbeatMs: 50 } });
    const record = copyRecord({ state: 'queued', startedAt: null });
    hub.put(record);
    const reader = await open(record.id);
    await until(() => reader.text().includes(': hb\n\n'));
    expect(reader.snapshots()).toHaveLength(1);
    reader.close();
  });
});

describe('event streams: rights', () => {
  it('ends a stream with its session, even during the look-up of its operation', async () => {
    const record = copyRecord();
    const lateId = newId();
    let answer: ((found: Snapshot) => void) | null = null;
    const lookup = (): Promise<Snapshot> => new Promise((resolve) => (answer = resolve));
    const { hub, streams, read: open } = await start({ lookup });
    hub.put(record);
    const first = await open(record.id);
    const late = open(lateId);
    await until(() => answer !== null && streams.connections === 1);
    expect(streams.closeSessions(({ session }) => session === 's1')).toBe(1);
    expect(streams.closeSessions(({ session }) => session === 's2')).toBe(0);
    answer!({ ...hub.get(record.id)!, id: lateId });
    await until(() => first.isOver());
    expect((await late).status).toBe(404);
  });

  it('ends a stream when its session expires', async () => {
    const { hub, read: open } = await start({}, { ...principal, expiresAtMs: Date.now() + 1_500 });
    const record = copyRecord();
    hub.put(record);
    const reader = await open(record.id);
    await until(() => reader.isOver());
    expect(reader.snapshots()).toMatchObject([{ state: 'running' }]);
  });

  it('sends gone and ends when the right is revoked or the operation deleted', async () => {
    const { hub, read: open } = await start();
    const [one, other] = [copyRecord(), copyRecord()];
    for (const record of [one, other]) hub.put(record);
    const readers = [await open(one.id), await open(other.id)];
    revoked.add(one.id);
    hub.reauthorize();
    hub.remove(other.id, 'deleted');
    for (const reader of readers) await until(() => reader.isOver());
    expect(readers[0]!.text()).toContain(`event: gone\ndata: {"op":"${one.id}","why":"revoked"}\n\n`);
    expect(readers[1]!.text()).toContain('"why":"deleted"');
  });

  it('sends the public form to a principal with the public view', async () => {
    const { hub, read: open } = await start({ view: () => 'public' });
    const record = ended(copyRecord({ result: { kind: 'image', id: 101 } }));
    hub.put(record);
    const reader = await open(record.id);
    await until(() => reader.isOver());
    expect(reader.snapshots()).toMatchObject([
      {
        owner: '',
        ownerName: '',
        label: 'copy_vm_image',
        result: null,
        subject: { id: null, name: 'debian-13.raw' },
      },
    ]);
    expect(reader.text()).not.toContain('sato');
  });

  it('limits the streams of each user and releases them at the end', async () => {
    const { hub, streams, read: open } = await start({ limits: { socketsPerUser: 2 } });
    const record = copyRecord();
    hub.put(record);
    const readers = [await open(record.id), await open(record.id)];
    const refused = await open(record.id);
    expect(refused.status).toBe(429);
    readers[0]!.close();
    await until(() => streams.connections === 1);
    expect((await open(record.id)).status).toBe(200);
  });
});

describe('event streams: shutdown', () => {
  it('sends bye with a reconnect time, then refuses new streams', async () => {
    const { hub, streams, read: open } = await start();
    const record = copyRecord();
    hub.put(record);
    const reader = await open(record.id);
    streams.shutdown({ reconnectAfterMs: 500 });
    await until(() => reader.isOver());
    const [, retry = '', ms = ''] =
      /retry: (\d+)\nevent: bye\ndata: \{"ms":(\d+)\}\n\n$/.exec(reader.text()) ?? [];
    expect(Number(retry)).toBeGreaterThanOrEqual(500);
    expect(ms).toBe(retry);
    expect((await open(record.id)).status).toBe(503);
  });

  it('serves a single request without a shared gateway', async () => {
    const options = optionsOf();
    const record = copyRecord();
    options.hub.put(record);
    const port = await listen((incoming, response) => {
      void serveEvents(incoming, response, { ...options, principal, operation: record.id });
    });
    const reader = await read(port, { id: record.id, headers: {} });
    await until(() => reader.snapshots().length > 0);
    options.hub.put(ended(moved(record, 1000)));
    await until(() => reader.isOver());
    const last = reader.snapshots().at(-1)!;
    expect(last.state).toBe('succeeded');
    const again = await read(port, {
      id: record.id,
      headers: { 'last-event-id': `${last.epoch}:${last.seq}` },
    });
    expect(again.status).toBe(204);
  });
});
