import { execFile } from 'node:child_process';
import { once } from 'node:events';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { request } from 'node:http';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Operation } from '@wcc/api';
import type { Snapshot } from '@wcc/progress';
import type { ServerMessage } from '@wcc/progress/protocol';
import { until } from '../kit/poll.ts';
import { rawRequest } from '../kit/network/raw-http.ts';
import { startServer } from '../kit/server.ts';
import type { TestServer } from '../kit/server.ts';
import { createUser, signIn } from '../kit/session.ts';

/** Event streams report one operation to curl and to clients without WebSocket. */
let server: TestServer;
const open: EventReader[] = [];
const feeds: FeedReader[] = [];

beforeEach(async () => {
  server = await startServer();
});
afterEach(async () => {
  for (const reader of [...open.splice(0), ...feeds.splice(0)]) reader.close();
  await server.close();
});

interface EventReader {
  status: number;
  headers: IncomingHttpHeaders;
  /** All text received so far. */
  text(): string;
  snapshots(): Snapshot[];
  /** True after the server has closed the stream. */
  isOver(): boolean;
  close(): void;
}

interface FeedReader {
  status: number;
  messages(): ServerMessage[];
  isOver(): boolean;
  close(): void;
}

async function read(id: string, headers: Record<string, string>): Promise<EventReader> {
  const url = `${server.baseUrl}/api/operations/${id}/events`;
  const outgoing = request(url, { headers, agent: false });
  outgoing.end();
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  let text = '';
  let isOver = false;
  response.setEncoding('utf8').on('data', (part: string) => (text += part));
  response.on('close', () => (isOver = true)).on('error', () => (isOver = true));
  outgoing.on('error', () => (isOver = true));
  const reader: EventReader = {
    status: response.statusCode ?? 0,
    headers: response.headers,
    text: () => text,
    snapshots: () =>
      [...text.matchAll(/^event: op\ndata: (.*)\n\n/gm)].map(([, data]) => JSON.parse(data!) as Snapshot),
    isOver: () => isOver,
    close: () => outgoing.destroy(),
  };
  open.push(reader);
  return reader;
}

const bearer = (): Record<string, string> => ({ authorization: `Bearer ${server.token}` });

async function publish(): Promise<Operation> {
  const subject = { kind: 'database', name: 'orders' };
  const { operation } = await server.api.publish({ action: 'backup_database', subject, leaseS: 3600 });
  return operation;
}

it('curl follows the event stream of an operation and exits after its end', { timeout: 90_000 }, async () => {
  const { id } = await publish();
  const url = `${server.baseUrl}/api/operations/${id}/events`;
  const curl = promisify(execFile)(
    'curl',
    ['-sSN', '--fail', '--max-time', '60', '-H', `authorization: Bearer ${server.token}`, url],
    { timeout: 70_000 },
  );
  await until(async () => (await metric('wcc_watchers{kind="sse"}')) === 1, { what: 'curl to watch' });
  await server.api.reportProgress(id, { total: 10, done: 4 });
  await server.api.endOperation(id, { state: 'succeeded' });
  const { stdout } = await curl;
  const events = [...stdout.matchAll(/^id: (\w+):(\d+)\nevent: op\ndata: (.*)\n\n/gm)];
  expect(events.length).toBeGreaterThanOrEqual(2);
  const numbers = events.map(([, , seq]) => Number(seq));
  expect(numbers).toEqual([...new Set(numbers)].toSorted((a, b) => a - b));
  const [, epoch, seq, data] = events.at(-1)!;
  expect(JSON.parse(data!)).toMatchObject({ id, state: 'succeeded', epoch, seq: Number(seq) });
  await until(async () => (await metric('wcc_watchers{kind="sse"}')) === 0, { what: 'the watcher to leave' });
  // A client that reconnects after the terminal event gets 204.
  const again = await rawRequest(url, { headers: { ...bearer(), 'last-event-id': `${epoch}:${seq}` } });
  expect(again).toMatchObject({ status: 204, text: '' });
});

async function metric(series: string): Promise<number> {
  const { text } = await rawRequest(`${server.baseUrl}/metrics`, { headers: bearer() });
  const line = text.split('\n').find((one) => one.startsWith(`${series} `));
  if (line === undefined) throw new Error(`no ${series}`);
  return Number(line.slice(series.length + 1));
}

it('an event stream has the security headers of every answer and those of a stream', async () => {
  const { id } = await publish();
  const { status, headers } = await read(id, bearer());
  expect(status).toBe(200);
  expect(headers).toMatchObject({
    'content-type': expect.stringMatching(/^text\/event-stream/) as string,
    'cache-control': 'no-store, no-transform',
    'x-accel-buffering': 'no',
    'x-content-type-options': 'nosniff',
    'x-request-id': expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
    'content-security-policy': expect.stringContaining("default-src 'none'") as string,
  });
});

it('an event stream gives 404 for unknown and forbidden ids, and refuses other origins and anonymous requests', async () => {
  const { id } = await publish();
  const someone = await signIn(server, await createUser(server, 'someone', 'operator'));
  const ask = (operation: string, headers: Record<string, string>): ReturnType<typeof rawRequest> =>
    rawRequest(`${server.baseUrl}/api/operations/${operation}/events`, { headers });
  const { headers } = someone;
  const answers = [await ask(id, headers), await ask('a'.repeat(26), headers)];
  expect(answers.map(({ status }) => status)).toEqual([404, 404]);
  expect(answers[0]!.text).toBe(answers[1]!.text);
  expect(answers[0]!.json()).toMatchObject({ code: 'not_found' });
  const namesOf = ({ headers }: { headers: IncomingHttpHeaders }): string[] =>
    Object.keys(headers).toSorted();
  expect(namesOf(answers[0]!)).toEqual(namesOf(answers[1]!));
  expect((await ask(id, {})).status).toBe(401);
  for (const site of ['cross-site', 'same-site']) {
    expect((await ask(id, { ...bearer(), 'sec-fetch-site': site })).status).toBe(403);
  }
});

/** Opens one stream for everything that the body subscribes to. */
async function readFeed(subs: unknown, headers: Record<string, string>): Promise<FeedReader> {
  const outgoing = request(`${server.baseUrl}/api/events`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    agent: false,
  });
  outgoing.end(JSON.stringify(subs));
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  let text = '';
  let isOver = false;
  response.setEncoding('utf8').on('data', (part: string) => (text += part));
  response.on('close', () => (isOver = true)).on('error', () => (isOver = true));
  outgoing.on('error', () => (isOver = true));
  const reader: FeedReader = {
    status: response.statusCode ?? 0,
    messages: () =>
      [...text.matchAll(/^data: (.*)\n\n/gm)].map(([, data]) => JSON.parse(data!) as ServerMessage),
    isOver: () => isOver,
    close: () => outgoing.destroy(),
  };
  feeds.push(reader);
  return reader;
}

it('one stream carries the messages of a socket for ids and a list, with the rights of the user', async () => {
  const { id } = await publish();
  const unknown = 'a'.repeat(26);
  const reader = await readFeed(
    [
      { t: 'sub', id: 1, ops: [{ op: id }, { op: unknown }] },
      { t: 'sub', id: 2, list: 'all' },
    ],
    bearer(),
  );
  expect(reader.status).toBe(200);
  const later = await publish();
  await server.api.reportProgress(id, { total: 10, done: 4 });
  const snapshots = (): Snapshot[] =>
    reader.messages().flatMap((message) => (message.t === 'ops' ? message.d : []));
  await until(() => snapshots().some((snapshot) => snapshot.id === later.id), { what: 'the new operation' });
  const answers = reader.messages().filter(({ t }) => t === 'hello' || t === 'ok');
  expect(answers).toMatchObject([
    { t: 'hello', v: 1 },
    {
      t: 'ok',
      id: 1,
      res: [
        { op: id, may: { cancel: expect.any(Boolean) as boolean } },
        { op: unknown, err: 'not_found' },
      ],
    },
    { t: 'ok', id: 2, list: 'all' },
  ]);
});

it('a stream of many operations checks user, origin, body and rights as every request does', async () => {
  const { id } = await publish();
  const subs = [{ t: 'sub', id: 1, ops: [{ op: id }] }];
  const admin = await signIn(server, await createUser(server, 'third-admin', 'admin'));
  const { headers } = await signIn(server, await createUser(server, 'stranger', 'operator'));
  const statusOf = async (headers: Record<string, string>, body: unknown = subs): Promise<number> =>
    (await readFeed(body, headers)).status;
  expect(await statusOf({})).toBe(401);
  expect(await statusOf(admin.headers)).toBe(403);
  expect(await statusOf({ ...admin.headers, origin: 'http://elsewhere.example' })).toBe(403);
  expect(await statusOf({ ...bearer(), 'sec-fetch-site': 'same-site' })).toBe(403);
  expect(await statusOf(bearer(), { t: 'sub' })).toBe(400);
  expect(await statusOf(bearer(), [{ t: 'refresh', id: 1, ticket: 'x' }])).toBe(400);
  const foreign = await readFeed(subs, { ...headers, origin: server.baseUrl });
  await until(() => foreign.messages().length >= 2, { what: 'the answer' });
  expect(foreign.messages()[1]).toEqual({ t: 'ok', id: 1, res: [{ op: id, err: 'not_found' }] });
  const own = await readFeed(subs, { ...admin.headers, origin: server.baseUrl });
  await until(() => own.messages().some(({ t }) => t === 'ops'), { what: 'the snapshot' });
  await admin.request('DELETE', '/api/session');
  await until(() => own.isOver(), { what: 'the stream to end' });
});

it('the end of a session closes its event streams', async () => {
  const { id } = await publish();
  const admin = await signIn(server, await createUser(server, 'second-admin', 'admin'));
  const reader = await read(id, admin.headers);
  await until(() => reader.snapshots().length > 0, { what: 'the first snapshot' });
  await admin.request('DELETE', '/api/session');
  await until(() => reader.isOver(), { what: 'the stream to end' });
  const textBefore = reader.text();
  await server.api.reportProgress(id, { add: 1 });
  expect(reader.text()).toBe(textBefore);
});

it('a user has at most sixteen sockets and event streams in total', { timeout: 90_000 }, async () => {
  const { id } = await publish();
  const readers = await Promise.all(Array.from({ length: 16 }, () => read(id, bearer())));
  expect(readers.map(({ status }) => status)).toEqual(Array.from({ length: 16 }, () => 200));
  const refused = await read(id, bearer());
  expect(refused.status).toBe(429);
  readers[0]!.close();
  await until(async () => (await read(id, bearer())).status === 200, {
    what: 'the connection quota to be free again',
  });
});

it('a graceful stop closes event streams within its time limit', { timeout: 90_000 }, async () => {
  const { id } = await publish();
  const reader = await read(id, bearer());
  await until(() => reader.snapshots().length > 0, { what: 'the first snapshot' });
  const exit = await server.stop();
  expect(exit).toMatchObject({ code: 0, signal: null });
  await until(() => reader.isOver(), { what: 'the stream to end' });
});
