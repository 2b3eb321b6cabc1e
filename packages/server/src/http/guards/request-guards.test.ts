import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Answer, ServerUnderTest } from '../server.testkit.ts';
import { adminToken, password, startTestServer } from '../server.testkit.ts';

let server: ServerUnderTest;
let cookie: string;
beforeAll(async () => {
  server = await startTestServer();
  await server.addUser('sato');
  cookie = await server.signIn('sato');
});
afterAll(() => server.close());

/** Requests that a malicious page would send. */
const changes: [method: string, path: string, body?: unknown][] = [
  ['POST', '/api/session', { name: 'sato', password }],
  ['POST', '/api/first-sign-in', { secret: 'x', password }],
  ['POST', '/api/ws-tickets', { purpose: 'watch' }],
  ['POST', '/api/tokens', { name: 'theirs' }],
  ['DELETE', '/api/session'],
  ['POST', '/api/operations/aaaaaaaaaaaaaaaaaaaaaaaaaa/cancel'],
  ['POST', '/api/images/100/copy', { name: 'copy.raw' }],
  ['POST', '/api/nowhere'],
];

async function tokenCount(): Promise<number> {
  return ((await server.ask('GET', '/api/tokens', { cookie })).json['items'] as unknown[]).length;
}

describe('a request from another origin (threats 3 and 18)', () => {
  const foreign = (): Record<string, string | undefined> => ({
    'another site': 'https://evil.example',
    'another port of this host': `http://127.0.0.1:${server.port + 1}`,
    'another name of this host': `http://localhost:${server.port}`,
    'a longer name': `http://127.0.0.1:${server.port}.evil.example`,
    'another scheme': `https://127.0.0.1:${server.port}`,
    'another case': `HTTP://127.0.0.1:${server.port}`,
    'a path': `http://127.0.0.1:${server.port}/`,
    null: 'null',
    'none at all': undefined,
  });

  it.each(changes)('%s %s is refused without an effect', async (method, path, body) => {
    const before = await tokenCount();
    for (const [what, origin] of Object.entries(foreign())) {
      const answer = await server.ask(method, path, { cookie, body, headers: { origin } });
      expect({ what, status: answer.status, code: answer.json['code'] }).toEqual({
        what,
        status: 403,
        code: 'foreign_origin',
      });
      expect(answer.headers['set-cookie']).toBeUndefined();
    }
    expect(await tokenCount()).toBe(before);
    expect((await server.ask('GET', '/api/session', { cookie })).status).toBe(200);
  });

  it('is refused at sign-in, even without a cookie', async () => {
    for (const origin of ['https://evil.example', undefined]) {
      const answer = await server.ask('POST', '/api/session', {
        body: { name: 'sato', password },
        headers: { origin },
      });
      expect(answer.json['code']).toBe('foreign_origin');
    }
  });

  it('is refused by Sec-Fetch-Site, even with a forged Origin', async () => {
    for (const site of ['cross-site', 'same-site']) {
      const headers = { 'sec-fetch-site': site };
      const post = await server.ask('POST', '/api/tokens', { cookie, headers, body: { name: 'theirs' } });
      const get = await server.ask('GET', '/api/tokens', { cookie, headers });
      expect([post.json['code'], get.json['code']]).toEqual(['foreign_origin', 'foreign_origin']);
    }
    const own = await server.ask('GET', '/api/tokens', {
      cookie,
      headers: { 'sec-fetch-site': 'same-origin' },
    });
    expect(own.status).toBe(200);
  });

  it('with a bearer token needs no Origin, but a foreign Origin is refused', async () => {
    const body = { name: 'tanaka', role: 'viewer', password };
    const options = { bearer: adminToken, body };
    const foreignOne = await server.ask('POST', '/api/users', {
      ...options,
      headers: { origin: 'https://evil.example' },
    });
    expect(foreignOne.json['code']).toBe('foreign_origin');
    const none = await server.ask('POST', '/api/users', { ...options, headers: { origin: undefined } });
    expect(none.status).toBe(201);
  });
});

describe('DNS rebinding (threat 4)', () => {
  it.each([
    'evil.example',
    'evil.example:PORT',
    '127.0.0.1',
    '127.0.0.1:1',
    'LOCALHOST:PORT',
    '127.0.0.1.:PORT',
    '0.0.0.0:PORT',
  ])('Host %s is refused on every route', async (name) => {
    const host = name.replace('PORT', String(server.port));
    for (const path of ['/', '/api/health', '/api/session', '/api/nowhere', '/anything']) {
      const answer = await server.ask('GET', path, { cookie, headers: { host } });
      expect([path, answer.status, answer.json['code']]).toEqual([path, 403, 'foreign_host']);
    }
  });

  it('the names of this host are accepted on every route', async () => {
    for (const name of ['localhost', '127.0.0.1', '[::1]']) {
      const answer = await server.ask('GET', '/api/health', { headers: { host: `${name}:${server.port}` } });
      expect(answer.status).toBe(200);
    }
  });
});

describe('a request body', () => {
  const post = (rawBody: string, headers: Record<string, string> = {}): Promise<Answer> =>
    server.ask('POST', '/api/tokens', { cookie, rawBody, headers });

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/jsonp',
    '',
  ])('of type "%s" is refused', async (type) => {
    const answer = await post('{"name":"a"}', { 'content-type': type });
    expect([answer.status, answer.json['code']]).toEqual([415, 'unsupported_media_type']);
  });

  it.each(['{', '', 'null', '[]', '"text"', '{"name":1}', '{"nome":"a"}', '{"name":"a","__proto__":{}}'])(
    'like %s are malformed',
    async (text) => {
      const answer = await post(text);
      expect([answer.status, answer.json['code']]).toEqual([400, 'malformed_request']);
    },
  );

  it('with an invalid field gets an error that names the field', async () => {
    const range = await post('{"name":"a","expiresInDays":0}');
    expect(range.json).toMatchObject({ status: 422, code: 'invalid_input', field: 'expiresInDays' });
    expect((await post('{"nome":"a"}')).json['field']).toBe('nome');
  });

  it('over 64 KiB is refused', async () => {
    const answer = await post(JSON.stringify({ name: 'x'.repeat(65_536) }));
    expect([answer.status, answer.json['code']]).toEqual([413, 'payload_too_large']);
  });

  it('is never quoted in the error', async () => {
    const answer = await post('{"password":"<img src=x onerror=alert(1)>');
    expect(answer.text).not.toContain('onerror');
    expect(server.log()).not.toContain('onerror');
  });
});

describe('an answer of the API', () => {
  it('has every security header, also for errors', async () => {
    for (const path of ['/api/health', '/api/session', '/nowhere']) {
      const { headers } = await server.ask('GET', path);
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cross-origin-opener-policy': 'same-origin',
        'permissions-policy': expect.stringContaining('camera=()'),
      });
      expect(
        String(headers['content-security-policy'])
          .split(';')
          .map((part) => part.trim()),
      ).toEqual([
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "frame-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
      ]);
      expect(headers['access-control-allow-origin']).toBeUndefined();
    }
    expect((await server.ask('GET', '/api/session', { cookie })).headers['cache-control']).toBe('no-store');
  });

  it('is a problem document, also for a malformed address', async () => {
    for (const path of ['/api/nowhere', '/api/%zz', '/api/<script>']) {
      const { headers, json } = await server.ask('GET', path);
      expect(headers['content-type']).toMatch(/^application\/problem\+json/);
      expect(headers['x-content-type-options']).toBe('nosniff');
      expect(json).toMatchObject({ type: 'about:blank', code: expect.any(String), hint: expect.any(String) });
    }
  });

  it('is byte for byte equal for unknown and invisible things; only a header differs', async () => {
    const unknown = await server.ask('GET', '/api/operations/aaaaaaaaaaaaaaaaaaaaaaaaaa', { cookie });
    const nowhere = await server.ask('GET', '/api/nowhere', { cookie });
    expect(unknown.status).toBe(404);
    expect(unknown.text).toBe(nowhere.text);
    expect(unknown.headers['x-request-id']).not.toBe(nowhere.headers['x-request-id']);
    expect(Object.keys(unknown.headers)).toEqual(Object.keys(nowhere.headers));
  });

  it('is the same for another spelling of the address', async () => {
    const absolute = `http://127.0.0.1:${server.port}/api/users`;
    for (const path of ['/%61pi/users', '/api/%75sers', absolute]) {
      expect((await server.ask('GET', path)).status).toBe(401);
      const { status, headers } = await server.ask('GET', path, { bearer: adminToken });
      expect([status, headers['cache-control']]).toEqual([200, 'no-store']);
      const link = {
        'sec-fetch-site': 'cross-site',
        'sec-fetch-mode': 'navigate',
        'sec-fetch-dest': 'document',
      };
      expect((await server.ask('GET', path, { bearer: adminToken, headers: link })).status).toBe(403);
    }
    for (const path of ['//api/users', '/API/users', '/api//users']) {
      const { status } = await server.ask('GET', path, { bearer: adminToken });
      expect([path, status]).toEqual([path, 404]);
    }
  });

  it('is 405 for a wrong method and 404 for a wrong address', async () => {
    const answer = await server.ask('PUT', '/api/session', { cookie });
    expect([answer.status, answer.json['code']]).toEqual([405, 'method_not_allowed']);
    expect(answer.headers.allow).toMatch(/POST/);
  });
});
