import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ServerMessage } from '@wcc/progress/protocol';
import { waitUntil } from '../../machines/hypervisor/wait.testkit.ts';
import type { ServerUnderTest } from '../server.testkit.ts';
import { sessionHeaders, startTestServer } from '../server.testkit.ts';

let server: ServerUnderTest;
let ann: string;
let bob: string;

beforeAll(async () => {
  server = await startTestServer();
  for (const name of ['ann', 'bob']) await server.addUser(name);
  [ann, bob] = [await server.signIn('ann'), await server.signIn('bob')];
});
afterAll(() => server.close());

async function publish(cookie: string): Promise<string> {
  const body = { action: 'count_sheep', subject: { kind: 'flock', id: 7, name: 'merino' }, total: 10 };
  const answer = await server.ask('POST', '/api/operations', { cookie, body });
  expect(answer.status).toBe(202);
  return (answer.json['operation'] as { id: string }).id;
}

interface Feed {
  messages(): ServerMessage[];
  isOver(): boolean;
  close(): void;
}

function open(cookie: string, subs: unknown): Promise<Feed> {
  return new Promise((resolve, reject) => {
    const headers = { ...sessionHeaders(cookie), origin: server.origin, 'content-type': 'application/json' };
    const asking = request(
      { host: '127.0.0.1', port: server.port, method: 'POST', path: '/api/events', headers, agent: false },
      (response) => {
        let text = '';
        let isOver = false;
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('close', () => (isOver = true));
        response.on('error', () => undefined);
        if (response.statusCode !== 200) return reject(new Error(`status ${response.statusCode}`));
        resolve({
          messages: () =>
            [...text.matchAll(/^data: (.*)\n\n/gm)].map(([, data = '']) => JSON.parse(data) as ServerMessage),
          isOver: () => isOver,
          close: () => asking.destroy(),
        });
      },
    );
    asking.on('error', reject);
    asking.end(JSON.stringify(subs));
  });
}

const rowsOf = (feed: Feed): unknown =>
  feed.messages().flatMap((message) => (message.t === 'ok' ? [message.res] : []));

describe('POST /api/events', () => {
  it('sends a client the messages of a socket for all that it watches, with its rights', async () => {
    const [own, foreign] = [await publish(ann), await publish(bob)];
    const subs = [
      { t: 'sub', id: 1, ops: [{ op: own }, { op: foreign }] },
      { t: 'sub', id: 2, list: 'mine' },
    ];
    const feed = await open(ann, subs);
    await waitUntil('a snapshot', () => feed.messages().some(({ t }) => t === 'ops'));
    expect(feed.messages()[0]).toMatchObject({ t: 'hello', v: 1 });
    expect(rowsOf(feed)).toMatchObject([
      [
        { op: own, may: { cancel: true } },
        { op: foreign, err: 'not_found' },
      ],
      [{ op: own }],
    ]);
    await server.ask('POST', `/api/operations/${own}/cancel`, { cookie: ann });
    await waitUntil('the cancel', () => JSON.stringify(feed.messages()).includes('cancel'));
    feed.close();
  });

  it('refuses other bodies, foreign pages and strangers, and ends with the session', async () => {
    const other = await server.signIn('ann');
    const feed = await open(other, []);
    const wrong = await server.ask('POST', '/api/events', { cookie: ann, body: { t: 'sub' } });
    expect([wrong.status, wrong.json['code']]).toEqual([400, 'malformed_request']);
    const foreign = { cookie: ann, headers: { origin: 'https://evil.example' }, body: [] };
    expect((await server.ask('POST', '/api/events', foreign)).status).toBe(403);
    expect((await server.ask('POST', '/api/events', { body: [] })).status).toBe(401);
    await server.ask('DELETE', '/api/session', { cookie: other });
    await waitUntil('the end of the stream', () => feed.isOver());
  });
});
