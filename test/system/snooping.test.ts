import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createOperationId } from '@wcc/progress';
import { randomBytes } from 'node:crypto';
import { makeRandomImage, MiB } from '../kit/images.ts';
import { registerImage, waitForState } from '../kit/operations.ts';
import { until } from '../kit/poll.ts';
import { startServer } from '../kit/server.ts';
import type { TestServer } from '../kit/server.ts';
import { noteSecret } from '../kit/secrets.ts';
import { createUser, signIn } from '../kit/session.ts';
import type { CookieSession } from '../kit/session.ts';
import { createWatcher } from '../kit/watcher.ts';
import type { Frame, Watcher } from '../kit/watcher.ts';

/** A user without the right cannot distinguish an operation from an unknown id (docs/security.md). */
let server: TestServer;
const sessions: Record<string, CookieSession> = {};
const tokens: Record<string, string> = {};
const watchers: Watcher[] = [];
/** A copy of the operator `owner` that runs during the whole file. */
let theirs: string;

beforeAll(async () => {
  server = await startServer();
  await makeRandomImage(join(server.poolDir, 'source.raw'), 64 * MiB);
  const image = await registerImage(server, 'source.raw');
  for (const [name, role] of [
    ['owner', 'operator'],
    ['stranger', 'operator'],
    ['viewer', 'viewer'],
    ['chief', 'admin'],
  ] as const) {
    const session = await signIn(server, await createUser(server, name, role));
    sessions[name] = session;
    const answer = await session.request('POST', '/api/tokens', { body: { name: 'test' } });
    tokens[name] = noteSecret((answer.json() as { secret: string }).secret);
  }
  const started = await sessions['owner']!.request('POST', `/api/images/${image.id}/copy`, {
    body: { name: 'copy.raw', method: 'copy', bytesPerSecond: 256 * 1024 },
  });
  theirs = (started.json() as { operation: { id: string } }).operation.id;
  await waitForState(server, theirs, { states: ['running'] });
});

afterAll(async () => {
  for (const watcher of watchers) watcher.close();
  await server.close();
});

const unknownId = (): string => createOperationId((bytes) => randomBytes(bytes));

async function watch(user: string): Promise<Watcher> {
  const watcher = await createWatcher(server.port, { token: tokens[user]! });
  watchers.push(watcher);
  await watcher.waitFor(({ message }) => message.t === 'hello', 'hello');
  return watcher;
}

describe('another user, over HTTP', () => {
  const requests = [
    ['GET', ''],
    ['GET', '/log'],
    ['POST', '/cancel'],
    ['POST', '/pause'],
    ['POST', '/resume'],
    ['POST', '/retry'],
  ] as const;

  it.each(
    ['stranger', 'viewer'].flatMap((user) => requests.map(([method, path]) => ({ user, method, path }))),
  )(
    '$user: $method …$path answers alike for an operation of another user and an unknown one',
    async ({ user, method, path }) => {
      const session = sessions[user]!;
      const forbidden = await session.request(method, `/api/operations/${theirs}${path}`);
      const unknown = await session.request(method, `/api/operations/${unknownId()}${path}`);
      expect(forbidden.status).toBe(404);
      expect({ status: unknown.status, text: unknown.text }).toEqual({ status: 404, text: forbidden.text });
      const names = (headers: object): string[] => Object.keys(headers).toSorted();
      expect(names(forbidden.headers)).toEqual(names(unknown.headers));
      expect((await server.api.operation(theirs)).state).toBe('running');
    },
  );

  it('another user finds the operation in no list; owner and administrator find it', async () => {
    const seen: Record<string, boolean> = {};
    for (const [user, session] of Object.entries(sessions)) {
      const { items } = (await session.request('GET', '/api/operations')).json() as {
        items: { id: string }[];
      };
      seen[user] = items.some(({ id }) => id === theirs);
    }
    expect(seen).toEqual({ owner: true, stranger: false, viewer: false, chief: true });
  });

  it('a viewer cannot start an operation', async () => {
    const { items } = await server.api.images();
    const answer = await sessions['viewer']!.request('POST', `/api/images/${items[0]!.id}/copy`, {
      body: { name: 'viewers.raw' },
    });
    expect([403, 404]).toContain(answer.status);
  });
});

describe('another user, over the socket', () => {
  it('another user gets "not_found" on the socket; owner and administrator get the snapshot', async () => {
    const answers: Record<string, string> = {};
    for (const user of Object.keys(sessions)) {
      const watcher = await watch(user);
      watcher.send({ t: 'sub', id: 1, ops: [{ op: theirs }] });
      const answer = await watcher.waitFor(({ message }) => message.t === 'ok', 'the answer to sub');
      const [row] = answer.message['res'] as { err?: string }[];
      answers[user] = row?.err ?? 'watching';
      if (answers[user] === 'watching') await watcher.waitForState(theirs, ['running']);
    }
    expect(answers).toEqual({
      owner: 'watching',
      stranger: 'not_found',
      viewer: 'not_found',
      chief: 'watching',
    });
  });

  it('another user who watches "all" sees only their own operations', async () => {
    const watcher = await watch('stranger');
    watcher.subscribe('all');
    const answer = await watcher.waitFor(({ message }) => message.t === 'ok', 'the answer to sub');
    expect(answer.message['res']).toEqual([]);
    expect(watcher.frames.filter(({ text }) => text.includes(theirs))).toEqual([]);
  });

  it(
    'another user gets no event from 100,000 tries, and only uniform answers',
    { timeout: 90_000 },
    async () => {
      const tries = 100_000;
      const batch = 64;
      const sockets = await Promise.all(Array.from({ length: 12 }, () => watch('stranger')));
      // Messages alternate between unknown ids and the running operation.
      const forbidden = asks(() => theirs);
      const unknown = asks(unknownId);
      const messages = Math.ceil(tries / batch / sockets.length / 2) * 2;
      const timesMs = { forbidden: [] as number[], unknown: [] as number[] };
      await Promise.all(
        sockets.map(async (watcher) => {
          for (let id = 1; id <= messages; id++) {
            const kind = id % 2 === 0 ? 'forbidden' : 'unknown';
            const ops = (kind === 'forbidden' ? forbidden : unknown)(batch);
            const sentMs = performance.now();
            watcher.send({ t: 'sub', id, ops: ops.map((op) => ({ op })) });
            const answer = await waitForAnswer(watcher, id);
            timesMs[kind].push(answer.atMs - sentMs);
            expect(answer.text).toBe(
              JSON.stringify({ t: 'ok', id, res: ops.map((op) => ({ op, err: 'not_found' })) }),
            );
            await untilAllowed(sentMs);
          }
        }),
      );
      const events = watchers.slice(-sockets.length).flatMap((watcher) => watcher.snapshots);
      expect(messages * batch * sockets.length).toBeGreaterThanOrEqual(tries);
      expect(events).toEqual([]);
      const [forbiddenMs, unknownMs] = [median(timesMs.forbidden), median(timesMs.unknown)];
      console.log(
        `median answer: forbidden ${forbiddenMs.toFixed(2)} ms, unknown ${unknownMs.toFixed(2)} ms`,
      );
      // Both answers take the same time. With 64 ids per message, a slower look-up would be measurable.
      expect(Math.max(forbiddenMs, unknownMs)).toBeLessThan(3 * Math.min(forbiddenMs, unknownMs) + 1);
    },
  );
});

function asks(makeId: () => string): (count: number) => string[] {
  return (count) => Array.from({ length: count }, makeId);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

/** Searches from the end, because the frames of one socket are in order. */
async function waitForAnswer(watcher: Watcher, id: number): Promise<Frame> {
  return until(
    () => {
      const last = watcher.frames.findLast(({ message }) => message.t === 'ok' || message.t === 'err');
      if (last?.message.t === 'err') throw new Error(last.text);
      if (watcher.closed) throw new Error(`closed with ${watcher.closed.code}`);
      return last?.message['id'] === id ? last : null;
    },
    { what: `the answer to message ${id}`, everyMs: 2 },
  );
}

/** The limit is 20 messages per second. */
async function untilAllowed(sentMs: number): Promise<void> {
  await until(() => performance.now() - sentMs > 55, { what: 'the next message to be allowed', everyMs: 5 });
}
