import { randomBytes } from 'node:crypto';
import { appendFile, truncate, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adminToken, startTestServer } from '../server.testkit.ts';
import type { Answer, ServerUnderTest } from '../server.testkit.ts';
import { canResume, matchesTag, parseRange } from './downloads.ts';

const MiB = 1024 ** 2;
let server: ServerUnderTest;
let bytes: Buffer;
const name = 'dïsk "1".raw';

beforeAll(async () => {
  server = await startTestServer();
  bytes = randomBytes(3 * MiB + 7);
  await writeFile(join(server.dataDir, 'images', name), bytes);
  await writeFile(join(server.dataDir, 'images', 'huge.raw'), 'x');
  await truncate(join(server.dataDir, 'images', 'huge.raw'), 1024 ** 4);
  const pools = await ask('GET', '/api/pools');
  const [pool] = pools.json['items'] as { id: string }[];
  await ask('POST', `/api/pools/${pool?.id}/rescan`);
});
afterAll(async () => {
  await server.close();
});

const ask = (method: string, path: string, headers: Record<string, string> = {}): Promise<Answer> =>
  server.ask(method, path, { bearer: adminToken, headers });

async function idOf(wanted: string): Promise<number> {
  const { json } = await ask('GET', '/api/images');
  const found = (json['items'] as { id: number; name: string }[]).find((image) => image.name === wanted);
  return found?.id ?? 0;
}

/** The answer with an unread body. */
async function open(id: number, headers: Record<string, string> = {}): Promise<IncomingMessage> {
  const authorization = headers['cookie'] === undefined ? { authorization: `Bearer ${adminToken}` } : {};
  const sent = httpRequest({
    host: '127.0.0.1',
    port: server.port,
    path: `/api/images/${id}/download`,
    headers: { ...authorization, ...headers },
    agent: false,
  });
  sent.end();
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  return answer;
}

async function fetchBytes(
  headers: Record<string, string> = {},
): Promise<{ answer: IncomingMessage; body: Buffer }> {
  const answer = await open(await idOf(name), headers);
  const parts: Buffer[] = [];
  for await (const part of answer) parts.push(part as Buffer);
  return { answer, body: Buffer.concat(parts) };
}

describe('a download', () => {
  it('returns the whole file as an attachment with a safe name', async () => {
    const { answer, body } = await fetchBytes();
    expect(answer.statusCode).toBe(200);
    expect(body.equals(bytes)).toBe(true);
    expect(answer.headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-length': String(bytes.length),
      'accept-ranges': 'bytes',
      'x-content-type-options': 'nosniff',
      'content-disposition': `attachment; filename="d_sk _1_.raw"; filename*=UTF-8''d%C3%AFsk%20%221%22.raw`,
    });
  });

  it('resumes an earlier download if the file is unchanged', async () => {
    const { answer } = await fetchBytes({ range: 'bytes=0-0' });
    const etag = String(answer.headers.etag);
    const rest = await fetchBytes({ range: 'bytes=1000-', 'if-range': etag });
    expect(rest.answer.statusCode).toBe(206);
    expect(rest.answer.headers['content-range']).toBe(`bytes 1000-${bytes.length - 1}/${bytes.length}`);
    expect(rest.body.equals(bytes.subarray(1000))).toBe(true);
    const tail = await fetchBytes({ range: 'bytes=-10' });
    expect(tail.body.equals(bytes.subarray(-10))).toBe(true);
    const other = await fetchBytes({ range: 'bytes=1000-', 'if-range': '"other"' });
    expect([other.answer.statusCode, other.body.length]).toEqual([200, bytes.length]);
    expect((await fetchBytes({ 'if-none-match': etag })).answer.statusCode).toBe(304);
  });

  it('refuses a range after the end and names the size', async () => {
    const answer = await ask('GET', `/api/images/${await idOf(name)}/download`, {
      range: `bytes=${bytes.length}-`,
    });
    expect(answer).toMatchObject({ status: 416, json: { code: 'range_unsatisfiable' } });
    expect(answer.headers['content-range']).toBe(`bytes */${bytes.length}`);
  });

  it('HEAD returns the same headers without a body', async () => {
    const answer = await ask('HEAD', `/api/images/${await idOf(name)}/download`);
    expect([answer.status, answer.headers['content-length'], answer.text]).toEqual([
      200,
      String(bytes.length),
      '',
    ]);
  });

  it('ends when the caller loses the right', async () => {
    const user = await server.addUser('ann');
    const answer = await open(await idOf('huge.raw'), { cookie: await server.signIn('ann') });
    expect(answer.statusCode).toBe(200);
    answer.resume();
    const ended = new Promise<string>((resolve) => {
      answer.once('end', () => resolve('whole'));
      answer.once('error', () => resolve('cut'));
      answer.once('close', () => resolve('cut'));
    });
    const body = { role: 'viewer' };
    expect((await server.ask('PATCH', `/api/users/${user}`, { bearer: adminToken, body })).status).toBe(200);
    expect(await ended).toBe('cut');
    expect((await open(await idOf('huge.raw'), { cookie: await server.signIn('ann') })).statusCode).toBe(403);
  });

  it('is refused without sign-in, and for an unknown image', async () => {
    expect((await server.ask('GET', `/api/images/${await idOf(name)}/download`)).status).toBe(401);
    expect((await ask('GET', '/api/images/9999/download')).status).toBe(404);
  });

  it('of a file that changes during the download is not complete', async () => {
    const answer = await open(await idOf(name));
    await once(answer, 'readable');
    await appendFile(join(server.dataDir, 'images', name), 'more');
    let got = 0;
    const outcome = await (async () => {
      for await (const part of answer) got += (part as Buffer).length;
      return 'ended';
    })().catch(() => 'cut');
    expect([outcome, got < bytes.length]).toEqual(['cut', true]);
  });
});

describe('parseRange', () => {
  it.each([
    [undefined, { kind: 'all' }],
    ['bytes=0-0', { kind: 'part', start: 0, end: 1 }],
    ['bytes=10-', { kind: 'part', start: 10, end: 100 }],
    ['bytes=90-200', { kind: 'part', start: 90, end: 100 }],
    ['bytes=-10', { kind: 'part', start: 90, end: 100 }],
    ['bytes=-500', { kind: 'part', start: 0, end: 100 }],
    ['bytes=-0', { kind: 'unsatisfiable' }],
    ['bytes=100-', { kind: 'unsatisfiable' }],
    ['bytes=9-5', { kind: 'all' }],
    ['bytes=-', { kind: 'all' }],
    ['bytes=0-1,5-6', { kind: 'all' }],
    ['lines=1-2', { kind: 'all' }],
    ['bytes=0x1-2', { kind: 'all' }],
  ])('parses %s', (header, wanted) => {
    expect(parseRange(header, 100)).toEqual(wanted);
  });

  it('returns unsatisfiable for an empty file', () => {
    expect(parseRange('bytes=0-', 0)).toEqual({ kind: 'unsatisfiable' });
    expect(parseRange('bytes=-5', 0)).toEqual({ kind: 'unsatisfiable' });
  });
});

describe('entity tags', () => {
  it('namesTag finds weak and strong tags in a list', () => {
    expect(matchesTag('"a", W/"b"', '"b"')).toBe(true);
    expect(matchesTag('*', '"b"')).toBe(true);
    expect(matchesTag('"a"', '"b"')).toBe(false);
    expect(matchesTag(undefined, '"b"')).toBe(false);
  });

  it('mayContinue needs exactly the same tag', () => {
    const file = { etag: '"b"', modifiedAt: new Date(0) };
    expect(canResume(undefined, file)).toBe(true);
    expect(canResume('"b"', file)).toBe(true);
    expect(canResume('W/"b"', file)).toBe(false);
    expect(canResume('Thu, 01 Jan 1970 00:00:00 GMT', file)).toBe(false);
  });
});
