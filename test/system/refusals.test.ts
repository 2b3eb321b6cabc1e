import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Image } from '@wcc/api';
import { makeRandomImage, MiB } from '../kit/images.ts';
import { registerImage } from '../kit/operations.ts';
import { rawRequest } from '../kit/network/raw-http.ts';
import type { RawRequest } from '../kit/network/raw-http.ts';
import { startServer } from '../kit/server.ts';
import type { TestServer } from '../kit/server.ts';
import { createUser, signIn } from '../kit/session.ts';
import type { CookieSession } from '../kit/session.ts';

let server: TestServer;
let image: Image;
let admin: CookieSession;

beforeAll(async () => {
  server = await startServer();
  await makeRandomImage(join(server.poolDir, 'source.raw'), 4 * MiB);
  image = await registerImage(server, 'source.raw');
  admin = await signIn(server, await createUser(server, 'second-admin', 'admin'));
});
afterAll(() => server.close());

interface Refusal {
  status: number;
  code: string;
  field?: string;
}

/** The API's answer to a request that must change nothing. */
async function expectRefusal(request: RawRequest & { path: string }, refusal: Refusal): Promise<void> {
  const before = await stateOfThings();
  const answer = await rawRequest(server.baseUrl + request.path, request);
  expect(answer.status, `answer: ${answer.text}`).toBe(refusal.status);
  expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
  expect(answer.headers['x-content-type-options']).toBe('nosniff');
  expect(answer.json()).toMatchObject({
    ...refusal,
    title: expect.stringMatching(/\w/) as string,
    hint: expect.stringMatching(/\w/) as string,
  });
  expect(await stateOfThings()).toEqual(before);
}

async function stateOfThings(): Promise<unknown> {
  const { items } = await server.api.operations({ limit: 200 });
  return { operations: items.map(({ id, state }) => [id, state]), files: readdirSync(server.poolDir) };
}

const bearer = (): Record<string, string> => ({
  authorization: `Bearer ${server.token}`,
  'content-type': 'application/json',
});

function copyRequest(body: string, headers: Record<string, string> = {}): RawRequest & { path: string } {
  return { method: 'POST', path: `/api/images/${image.id}/copy`, headers: { ...bearer(), ...headers }, body };
}

describe('names of copies', () => {
  it.each([
    ['a slash', 'a/b.raw'],
    ['a path out of the pool', '../out.raw'],
    ['a newline', 'two\nlines.raw'],
    ['NUL', 'nul\0.raw'],
    ['an escape sequence', '\u001b[31mred.raw'],
    ['a text direction override', 'evil\u202egpj.raw'],
    ['a leading dot', '.hidden.raw'],
    ['no characters', ''],
    ['more than 255 bytes', `${'ü'.repeat(128)}.raw`],
    ['an unpaired surrogate', '\ud800.raw'],
  ])('a copy under a name with %s is refused', async (_what, name) => {
    expect.hasAssertions();
    await expectRefusal(copyRequest(JSON.stringify({ name })), {
      status: 422,
      code: 'invalid_name',
      field: 'name',
    });
  });

  it('a copy under the name of an existing image is refused', async () => {
    expect.hasAssertions();
    await expectRefusal(copyRequest(JSON.stringify({ name: 'source.raw' })), {
      status: 409,
      code: 'exists',
      field: 'name',
    });
  });
});

describe('requests with wrong content or credentials', () => {
  it('a copy of an unknown image is refused', async () => {
    expect.hasAssertions();
    const request = { ...copyRequest('{"name":"x.raw"}'), path: '/api/images/987654/copy' };
    await expectRefusal(request, { status: 404, code: 'not_found' });
  });

  it.each(['abc', '1e3', '-1', '99999999999999999999', '0x64', '%2e%2e'])(
    'for image number %s',
    async (id) => {
      expect.hasAssertions();
      const request = { ...copyRequest('{"name":"x.raw"}'), path: `/api/images/${id}/copy` };
      await expectRefusal(request, { status: 404, code: 'not_found' });
    },
  );

  it.each(['{"name":', '', '"text"', '[]', 'null', '{"name":7}', '{"nom":"x.raw"}'])(
    'body %j',
    async (body) => {
      const answer = await rawRequest(`${server.baseUrl}/api/images/${image.id}/copy`, copyRequest(body));
      expect([400, 422]).toContain(answer.status);
      expect(['malformed_request', 'invalid_input', 'invalid_name']).toContain(answer.json()['code']);
    },
  );

  it('malformed JSON is refused as malformed_request', async () => {
    expect.hasAssertions();
    await expectRefusal(copyRequest('{"name":'), { status: 400, code: 'malformed_request' });
  });

  it('a form instead of JSON is refused', async () => {
    expect.hasAssertions();
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    await expectRefusal(copyRequest('name=x.raw', headers), { status: 415, code: 'unsupported_media_type' });
  });

  it('a body of more than 64 KiB is refused', async () => {
    expect.hasAssertions();
    await expectRefusal(copyRequest(JSON.stringify({ name: 'x'.repeat(70_000) })), {
      status: 413,
      code: 'payload_too_large',
    });
  });

  it('a request without credentials is refused', async () => {
    expect.hasAssertions();
    const request = { ...copyRequest('{"name":"x.raw"}'), headers: { 'content-type': 'application/json' } };
    await expectRefusal(request, { status: 401, code: 'unauthenticated' });
  });

  it('a request with a wrong token is refused', async () => {
    expect.hasAssertions();
    await expectRefusal(copyRequest('{"name":"x.raw"}', { authorization: `Bearer ${'0'.repeat(48)}` }), {
      status: 401,
      code: 'unauthenticated',
    });
  });
});

describe('Origin and Host of a request', () => {
  it.each([
    ['an origin of another port', () => `http://127.0.0.1:${server.port + 1}`],
    ['the origin null', () => 'null'],
    ['an origin that begins with our address', () => `${server.baseUrl}.example.org`],
    ['an origin of another scheme', () => `https://127.0.0.1:${server.port}`],
    ['an origin in upper case', () => server.baseUrl.toUpperCase()],
    ['no origin', () => null],
  ])('a cookie with %s is refused', async (_what, origin) => {
    expect.hasAssertions();
    const given = origin();
    await expectRefusal(
      {
        method: 'POST',
        path: `/api/images/${image.id}/copy`,
        headers: {
          ...admin.headers,
          'content-type': 'application/json',
          ...(given === null ? {} : { origin: given }),
        },
        body: '{"name":"x.raw"}',
      },
      { status: 403, code: 'foreign_origin' },
    );
  });

  it.each(['example.org', 'wcc.example.org:80', '169.254.169.254', 'localhost.example.org'])(
    'a request to host %s is refused',
    async (host) => {
      expect.hasAssertions();
      await expectRefusal(copyRequest('{"name":"x.raw"}', { host }), { status: 403, code: 'foreign_host' });
      const health = await rawRequest(`${server.baseUrl}/api/health`, { headers: { host } });
      expect(health.status).toBe(403);
      const page = await rawRequest(`${server.baseUrl}/`, { headers: { host } });
      expect(page.status).toBe(403);
    },
  );
});

describe('an Idempotency-Key', () => {
  it('an Idempotency-Key returns the same operation, and 422 for another body', async () => {
    const key = 'a-key-of-this-test';
    const first = await server.api.copyImage(image.id, { name: 'once.raw' }, key);
    const second = await server.api.copyImage(image.id, { name: 'once.raw' }, key);
    expect(second.operation.id).toBe(first.operation.id);
    const other = server.api.copyImage(image.id, { name: 'other.raw' }, key);
    await expect(other).rejects.toMatchObject({ status: 422, code: 'idempotency_conflict' });
  });

  it('100 concurrent requests with one Idempotency-Key make one operation', async () => {
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => server.api.copyImage(image.id, { name: 'hundred.raw' }, 'hundred')),
    );
    expect(new Set(answers.map(({ operation }) => operation.id)).size).toBe(1);
  });
});
