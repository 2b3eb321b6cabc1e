import { randomBytes } from 'node:crypto';
import { execFile } from 'node:child_process';
import { appendFile, readFile, truncate, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adminToken, sessionHeaders, startTestServer } from '../server.testkit.ts';
import type { Answer, ServerUnderTest } from '../server.testkit.ts';

const MiB = 1024 ** 2;
let server: ServerUnderTest;
let bytes: Buffer;
const name = 'dïsk "1".raw';
const longAgo = 'Sun, 06 Nov 1994 08:49:37 GMT';

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
  // A cut connection is an error of the request as well as of its answer.
  sent.on('error', () => {});
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

  it('F4: every precondition of RFC 9110 decides, and never sends bytes of another state', async () => {
    const { answer } = await fetchBytes({ range: 'bytes=0-0' });
    const [etag, modified] = [String(answer.headers.etag), String(answer.headers['last-modified'])];
    const statusOf = async (headers: Record<string, string>): Promise<[number | undefined, number]> => {
      const got = await fetchBytes(headers);
      return [got.answer.statusCode, got.body.length];
    };
    const tail = { range: `bytes=${bytes.length - 7}-` };
    for (const refused of [{ 'if-match': '"old"' }, { 'if-unmodified-since': longAgo }]) {
      const { answer: refusal, body } = await fetchBytes({ ...tail, ...refused });
      expect([refusal.statusCode, JSON.parse(body.toString('utf8'))]).toEqual([
        412,
        expect.objectContaining({ code: 'precondition_failed', status: 412 }),
      ]);
      expect(refusal.headers['content-disposition']).toBeUndefined();
    }
    expect(await statusOf({ ...tail, 'if-match': etag })).toEqual([206, 7]);
    expect(await statusOf({ ...tail, 'if-unmodified-since': modified })).toEqual([206, 7]);
    expect(await statusOf({ 'if-modified-since': modified })).toEqual([304, 0]);
    expect(await statusOf({ 'if-modified-since': longAgo })).toEqual([200, bytes.length]);
    expect(await statusOf({ range: 'Bytes=5-9223372036854775807' })).toEqual([206, bytes.length - 5]);
  });

  it('F4: curl refuses to glue two states by a date, and fetches an unchanged image once', async () => {
    const url = `http://127.0.0.1:${server.port}/api/images/${await idOf(name)}/download`;
    const target = join(server.dataDir, 'curl.part');
    const curl = (...args: string[]): Promise<string> =>
      new Promise((resolve) => {
        const all = ['-sSf', '-H', `Authorization: Bearer ${adminToken}`, '-w', '%{http_code}', ...args];
        execFile('curl', [...all, '-o', target, url], (_error, stdout) => resolve(stdout));
      });
    await writeFile(target, bytes.subarray(0, 1000));
    expect(await curl('-C', '-', '-z', `-${longAgo}`)).toBe('412');
    expect((await readFile(target)).length).toBe(1000);
    expect(await curl('-C', '-')).toBe('206');
    expect((await readFile(target)).equals(bytes)).toBe(true);
    expect(await curl('-z', new Date(Date.now() + 1000).toUTCString())).toBe('304');
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
    const answer = await open(await idOf('huge.raw'), sessionHeaders(await server.signIn('ann')));
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
    expect((await open(await idOf('huge.raw'), sessionHeaders(await server.signIn('ann')))).statusCode).toBe(
      403,
    );
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

describe('SM1: the audit record of downloads', () => {
  /** Rows that a GET with these headers adds, asked for as a program with a token of its own. */
  async function rowsAdded(bearer: string, headers: Record<string, string>): Promise<number> {
    const rows = async (): Promise<number> => {
      const { json } = await ask('GET', '/api/audit?what=image.download&limit=200');
      return (json['items'] as unknown[]).length;
    };
    const before = await rows();
    const answer = await open(await idOf(name), { authorization: `Bearer ${bearer}`, ...headers });
    for await (const _part of answer);
    return (await rows()) - before;
  }
  const tokenOf = async (user: string): Promise<string> => {
    const cookie = await server.signIn(user);
    const body = { name: `token-${Math.random()}`, scope: 'read' };
    const made = await server.ask('POST', '/api/tokens', { cookie, body });
    return String(made.json['secret']);
  };

  it('has a row for every request that sends bytes to a principal for the first time', async () => {
    await server.addUser('auditor');
    for (const range of [
      undefined,
      'bytes=0-',
      'bytes=00-',
      'bytes=000000-5',
      'bytes=-1048576',
      'bytes=1-',
      'bytes=2097152-',
      'bytes=x',
      'items=0-',
      'Bytes=0-',
      'bytes=0-1,3-4',
      ' bytes=1-',
    ]) {
      const bearer = await tokenOf('auditor');
      expect([range, await rowsAdded(bearer, range === undefined ? {} : { range })]).toEqual([range, 1]);
    }
  });

  it('has no second row for the parts of one download, and none where no byte is sent', async () => {
    const bearer = await tokenOf('auditor');
    const first = await open(await idOf(name), { authorization: `Bearer ${bearer}`, range: 'bytes=0-9' });
    first.resume();
    const etag = String(first.headers.etag);
    expect(await rowsAdded(bearer, { range: 'bytes=10-19' })).toBe(0);
    expect(await rowsAdded(bearer, { range: 'bytes=20-', 'if-range': etag })).toBe(0);
    // Another version of the file was asked for, so wcc sends all of it again.
    expect(await rowsAdded(bearer, { range: 'bytes=20-', 'if-range': '"other"' })).toBe(1);
    const quiet = await tokenOf('auditor');
    expect(await rowsAdded(quiet, { range: `bytes=${10 ** 12}-` })).toBe(0);
    expect(await rowsAdded(quiet, { 'if-none-match': etag })).toBe(0);
    expect(await rowsAdded(quiet, { range: 'bytes=1-' })).toBe(1);
  });
});
