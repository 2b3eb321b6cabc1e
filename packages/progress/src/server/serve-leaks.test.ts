import { Agent, request } from 'node:http';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { copyRecord, moved, newId } from './testkit/record.testkit.ts';
import { startServed } from './testkit/served.testkit.ts';
import type { Served } from './testkit/served.testkit.ts';

/**
 * Threat 1 for `serveProgress` without options: ann's operations move, and bob tries to see them by every door.
 * `WCC_LEAK_TRIES=10000` runs the long form.
 */
const tries = Number(process.env['WCC_LEAK_TRIES'] ?? 1500);
const secret = 'only-ann-may-read-this';
const idsPerMessage = 64;

let served: Served;
let records: ReturnType<typeof copyRecord>[];
let moving: NodeJS.Timeout;
const agent = new Agent({ keepAlive: true, maxSockets: 4 });

beforeAll(async () => {
  served = await startServed({ limits: { messagesPerSecond: 10_000, messageBurst: 10_000 } });
  records = Array.from({ length: 20 }, () =>
    copyRecord({
      owner: 'ann',
      ownerName: secret,
      label: secret,
      subject: { kind: 'k', id: 1, name: secret },
    }),
  );
  let done = 0;
  moving = setInterval(() => {
    done += 1;
    records = records.map((record) => moved(record, Math.min(done, 1000), done));
    for (const record of records) served.hub.put(record);
  }, 20);
});
afterAll(async () => {
  clearInterval(moving);
  agent.destroy();
  await served.close();
});

interface Try {
  method: string;
  path: string;
  user?: string | null;
  headers?: Record<string, string>;
  body?: string;
}

/** Everything that the server says until it is silent for 30 ms after its `ok`, or until the end of the answer. */
function heard({ method, path, user = 'bob', headers = {}, body }: Try): Promise<string> {
  return new Promise((resolve, reject) => {
    const origin = `http://127.0.0.1:${served.port}`;
    const cookie = user === null ? {} : { cookie: `sid=${user}` };
    const asked = { host: '127.0.0.1', port: served.port, method, path, agent };
    const outgoing = request({ ...asked, headers: { origin, ...cookie, ...headers } }, (response) => {
      const { date: _date, ...fixed } = response.headers;
      let text = `${response.statusCode} ${JSON.stringify(fixed)} `;
      let timer: NodeJS.Timeout | undefined;
      const end = (): void => {
        clearTimeout(timer);
        resolve(text);
        outgoing.destroy();
      };
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        if (!text.includes('"t":"ok"') && !text.includes('event: op')) return;
        clearTimeout(timer);
        timer = setTimeout(end, 30);
      });
      response.on('end', () => (clearTimeout(timer), resolve(text))).on('error', () => resolve(text));
    });
    outgoing.on('upgrade', (_response, socket) => {
      socket.destroy();
      resolve('101');
    });
    outgoing.on('error', reject).end(body);
  });
}

const foreignId = (index: number): string => records[index % records.length]!.id;

/** One request for an operation, by its id. Each must answer the same for a foreign and for an unknown id. */
const askById: ((id: string) => Try)[] = [
  (id) => ({ method: 'GET', path: `/progress/operations/${id}/events` }),
  (id) => ({ method: 'GET', path: `/progress/operations/${id}/events`, headers: lastHeld(id) }),
  (id) => ({ method: 'POST', path: `/progress/operations/${id}/cancel` }),
  (id) => ({ method: 'POST', path: `/progress/operations/${id}/retry` }),
  (id) => ({ method: 'GET', path: `/progress/operations/${id}/events`, user: null }),
];

/** The version that ann holds, which an equal answer must not confirm. */
function lastHeld(id: string): Record<string, string> {
  const { epoch = served.hub.epoch, seq = 1 } = served.hub.get(id) ?? {};
  return { 'last-event-id': `${epoch}:${seq}` };
}

async function feed(subs: unknown): Promise<string> {
  const headers = { 'content-type': 'application/json' };
  return heard({ method: 'POST', path: '/progress/events', headers, body: JSON.stringify(subs) });
}

async function upgradeWith(ticket: string, user: string | null): Promise<string> {
  const headers = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': Buffer.alloc(16, 1).toString('base64'),
    'sec-websocket-protocol': `wcc.v1, wcc.ticket.${ticket}`,
  };
  return heard({ method: 'GET', path: '/progress', headers, user });
}

const ticketOf = async (user: string): Promise<string> =>
  /"ticket":"([^"]+)"/.exec(await heard({ method: 'POST', path: '/progress/ticket', user }))?.[1] ?? '';

/** A socket of bob that stays open, and everything that it receives. */
async function openSocket(): Promise<{ socket: WebSocket; texts: string[] }> {
  const headers = { origin: `http://127.0.0.1:${served.port}`, cookie: 'sid=bob' };
  const protocols = ['wcc.v1', `wcc.ticket.${await ticketOf('bob')}`];
  const socket = new WebSocket(`ws://127.0.0.1:${served.port}/progress`, protocols, { headers });
  const texts: string[] = [];
  socket.on('message', (data) => texts.push((data as Buffer).toString()));
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  return { socket, texts };
}

it('gives a user nothing of another user by any door, with equal bytes for forbidden and unknown', async () => {
  const answers: string[] = [];
  const { socket, texts } = await openSocket();
  for (const list of ['mine', 'all']) socket.send(JSON.stringify({ t: 'sub', id: 1, list }));
  const waiting = feed([{ t: 'sub', id: 1, list: 'all' }]);
  let tried = 3;

  for (let round = 0; tried < tries; round += 1) {
    for (const askFor of askById) {
      const [foreign, unknown] = [foreignId(round), newId()];
      const pair = [await heard(askFor(foreign)), await heard(askFor(unknown))];
      expect(pair[0]?.replaceAll(foreign, 'ID')).toBe(pair[1]?.replaceAll(unknown, 'ID'));
      answers.push(...pair);
      tried += 2;
    }
    // Half of the names are guessed, half are ids that exist.
    const ids = Array.from({ length: idsPerMessage }, (_, at) =>
      at % 2 === 0 ? foreignId(round + at) : newId(),
    );
    socket.send(JSON.stringify({ t: 'sub', id: round + 2, ops: ids.map((op) => ({ op })) }));
    tried += idsPerMessage;
    if (round % 4 === 0) {
      answers.push(
        await feed([{ t: 'sub', id: 1, ops: ids.map((op) => ({ op, epoch: served.hub.epoch, seq: 1 })) }]),
      );
      answers.push(
        await feed([
          { t: 'sub', id: 1, list: 'all' },
          { t: 'sub', id: 2, list: 'mine' },
        ]),
      );
      answers.push(await heard({ method: 'GET', path: `/progress/events?id=${ids[0]}&list=all` }));
      for (const thief of ['bob', null]) {
        const answer = await upgradeWith(await ticketOf('ann'), thief);
        expect(answer).toMatch(/^401 /);
        answers.push(answer);
      }
      tried += idsPerMessage + 5;
    }
  }

  const own = copyRecord({ owner: 'bob' });
  served.hub.put(own);
  await expect.poll(() => texts.join(), { timeout: 5000 }).toContain(own.id);
  answers.push(...texts, await waiting);
  socket.terminate();
  // The guard of the test itself: ann's own stream does show the text.
  const anns = await heard({ method: 'GET', path: `/progress/events?id=${foreignId(0)}`, user: 'ann' });
  expect(anns).toContain(secret);
  expect(tried).toBeGreaterThanOrEqual(tries);
  expect(answers.filter((answer) => answer.includes(secret) || answer.includes('"owner":"ann"'))).toEqual([]);
  const rows = texts.flatMap(
    (text) => (JSON.parse(text) as { t: string; res?: { op: string; err?: string }[] }).res ?? [],
  );
  expect(rows.length).toBeGreaterThan(idsPerMessage);
  expect(
    rows.filter(({ op, err }) => err !== 'not_found' && op !== own.id && err !== 'too_many_subs'),
  ).toEqual([]);
}, 120_000);
