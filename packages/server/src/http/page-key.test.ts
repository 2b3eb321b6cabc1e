import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pageKeyHeader } from '@wcc/api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hashSecret } from '../access/secrets.ts';
import { newSession } from './open-things.testkit.ts';
import { adminToken, sessionCookie, sessionHeaders, startTestServer } from './server.testkit.ts';
import type { Answer, ServerUnderTest } from './server.testkit.ts';
import { shakeHands } from './upgrade.testkit.ts';

let server: ServerUnderTest;
let userId: string;
let bytes: Buffer;
let image: number;

beforeAll(async () => {
  server = await startTestServer();
  userId = await server.addUser('sato');
  bytes = randomBytes(100_000);
  for (const name of ['a.raw', 'b.raw']) await writeFile(join(server.dataDir, 'images', name), bytes);
  const { json } = await server.ask('GET', '/api/pools', { bearer: adminToken });
  const [pool] = json['items'] as { id: string }[];
  await server.ask('POST', `/api/pools/${pool?.id}/rescan`, { bearer: adminToken });
  const images = await server.ask('GET', '/api/images', { bearer: adminToken });
  image = (images.json['items'] as { id: number }[])[0]?.id ?? 0;
});
afterAll(() => server.close());

const secretOf = (cookie: string): string => cookie.split('=')[1] ?? '';
const newCookie = async (): Promise<string> => (await newSession(server, userId)).cookie;
/** Asks with exactly these headers. */
const askWith = (headers: Record<string, string>): Promise<Answer> =>
  server.ask('GET', '/api/session', { headers });

describe('SH3: a session', () => {
  it('needs its cookie and its page key, and no answer but the sign-in contains the key', async () => {
    const signedIn = await server.ask('POST', '/api/session', {
      body: { name: 'sato', password: 'correct horse battery staple' },
    });
    const cookie = sessionCookie(signedIn);
    expect(cookie).toMatch(new RegExp(`^wcc_sid_${server.port}=`));
    const pageKey = String(signedIn.json['pageKey']);
    const whole = await askWith({ cookie, [pageKeyHeader]: pageKey });
    expect([whole.status, whole.text.includes(pageKey)]).toEqual([200, false]);
    expect((await askWith({ [pageKeyHeader]: pageKey })).json['code']).toBe('unauthenticated');
    expect((await askWith({ cookie })).json['code']).toBe('page_key_missing');
    expect((await askWith({ cookie, [pageKeyHeader]: '' })).json['code']).toBe('unauthenticated');
    const other = sessionHeaders(await newCookie())[pageKeyHeader] ?? '';
    for (const wrong of [other, secretOf(cookie), hashSecret(pageKey), hashSecret(secretOf(cookie))])
      expect((await askWith({ cookie, [pageKeyHeader]: wrong })).json['code']).toBe('unauthenticated');
    const row = await server.running.store.db.selectFrom('sessions').selectAll().execute();
    expect(JSON.stringify(row)).not.toContain(pageKey);
    expect(server.log()).not.toContain(pageKey);
  });

  it('is found among cookies of the same name, wherever they stand', async () => {
    const cookie = await newCookie();
    const key = { [pageKeyHeader]: sessionHeaders(cookie)[pageKeyHeader] ?? '' };
    const [name] = cookie.split('=');
    const stranger = await newCookie();
    for (const cookies of [
      `${stranger}; ${cookie}`,
      `${cookie}; ${stranger}`,
      `${`${name}=x; `.repeat(500)}${cookie}`,
    ])
      expect((await askWith({ cookie: cookies, ...key })).status).toBe(200);
    expect((await askWith({ cookie: stranger, ...key })).status).toBe(401);
  });

  it('of an earlier version gives no access, and the answer says that the page key is missing', async () => {
    const cookie = await newCookie();
    const { db } = server.running.store;
    const old = `wcc_sid=${secretOf(cookie)}`;
    const key = sessionHeaders(cookie)[pageKeyHeader] ?? '';
    const without = { pageKeyHash: null };
    await server.running.store.write([
      {
        query: db
          .updateTable('sessions')
          .set(without)
          .where('idHash', '=', hashSecret(secretOf(cookie))),
      },
    ]);
    for (const each of [old, cookie]) {
      expect((await askWith({ cookie: each })).json['code']).toBe('page_key_missing');
      for (const guess of [key, 'null', '']) {
        const { status } = await askWith({ cookie: each, [pageKeyHeader]: guess });
        expect(status).toBe(401);
      }
    }
    expect((await askWith({ cookie: 'wcc_sid=unknown' })).json['code']).toBe('unauthenticated');
  });

  it('opens a socket by ticket and cookie; the cookie alone gets no ticket', async () => {
    const cookie = await newCookie();
    const body = { purpose: 'watch' };
    const bare = await server.ask('POST', '/api/ws-tickets', { headers: { cookie }, body });
    expect(bare.json['code']).toBe('page_key_missing');
    const { port, origin } = server;
    expect((await shakeHands({ port, origin, cookie })).status).toBe(401);
    const ticket = await server.ticket(cookie);
    expect((await shakeHands({ port, origin, cookie, ticket })).status).toBe(101);
  });
});

describe('SH3: a download by form', () => {
  const form = 'application/x-www-form-urlencoded';
  const post = (
    cookie: string | null,
    ticket: string,
    { id = image, ...headers }: { id?: number; origin?: string } = {},
  ) =>
    server.ask('POST', `/api/images/${id}/download`, {
      rawBody: `ticket=${ticket}`,
      headers: { 'content-type': form, ...(cookie === null ? {} : { cookie }), ...headers },
    });
  async function ticketFor(
    cookie: string,
    purpose = 'download',
    target: string | undefined = String(image),
  ): Promise<string> {
    const answer = await server.ask('POST', '/api/ws-tickets', { cookie, body: { purpose, target } });
    return String(answer.json['ticket']);
  }
  const rows = async (): Promise<number> => {
    const { json } = await server.ask('GET', '/api/audit?what=image.download', { bearer: adminToken });
    return (json['items'] as unknown[]).length;
  };

  it('sends the whole file once for a ticket and its cookie, with an audit row', async () => {
    const cookie = await newCookie();
    const before = await rows();
    const ticket = await ticketFor(cookie);
    const answer = await post(cookie, ticket);
    expect([answer.status, Number(answer.headers['content-length'])]).toEqual([200, bytes.length]);
    expect(answer.headers).toMatchObject({
      'content-disposition': expect.stringMatching(/^attachment/),
      'cache-control': 'no-store',
      'accept-ranges': 'none',
    });
    expect(await rows()).toBe(before + 1);
    expect((await post(cookie, ticket)).status).toBe(401);
    expect(server.log()).not.toContain(ticket);
  });

  it('is refused without the ticket, the cookie or the Origin of the session, and for anything else', async () => {
    const [cookie, other] = [await newCookie(), await newCookie()];
    const wrong = await Promise.all([
      post(cookie, 'x'),
      post(null, await ticketFor(cookie)),
      post(other, await ticketFor(cookie)),
      post(cookie, await ticketFor(cookie), { id: image + 1 }),
      post(cookie, await ticketFor(cookie, 'watch')),
    ]);
    expect(wrong.map(({ status }) => status)).toEqual([401, 401, 401, 401, 401]);
    const foreign = await post(cookie, await ticketFor(cookie), { origin: 'http://127.0.0.1:1' });
    expect(foreign.json['code']).toBe('foreign_origin');
    const noTicket = await server.ask('POST', '/api/ws-tickets', {
      cookie,
      body: { purpose: 'download', target: '9999' },
    });
    expect(noTicket.status).toBe(404);
    const get = await server.ask('GET', `/api/images/${image}/download`, { headers: { cookie } });
    expect(get.status).toBe(401);
  });

  it('is refused after a sign-out that follows its ticket', async () => {
    const cookie = await newCookie();
    const ticket = await ticketFor(cookie);
    expect((await server.ask('DELETE', '/api/session', { cookie })).status).toBe(204);
    expect((await post(cookie, ticket)).status).toBe(401);
  });

  it('is the only endpoint that reads forms', async () => {
    const cookie = await newCookie();
    const headers = { 'content-type': form };
    for (const path of ['/api/session', '/api/tokens', '/api/ws-tickets', `/api/images/${image}/copy`]) {
      const answer = await server.ask('POST', path, { cookie, rawBody: 'name=a', headers });
      expect([path, answer.status]).toEqual([path, 415]);
    }
  });
});
