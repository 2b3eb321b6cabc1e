import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitUntil } from '../../machines/hypervisor/wait.testkit.ts';
import type { Answer, ServerUnderTest } from '../server.testkit.ts';
import { adminToken, startTestServer } from '../server.testkit.ts';

let server: ServerUnderTest;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

interface RawAnswer {
  text: string;
  /** From the answer to the cut of the connection. */
  openForMs: number;
}

/** Sends a head, then the body without end, and reads the answer until the server cuts the connection. */
async function sendOn(lines: readonly string[]): Promise<RawAnswer> {
  const client = connect({ port: server.port, host: '127.0.0.1', allowHalfOpen: true });
  client.on('error', () => {});
  let [text, answeredAtMs] = ['', 0];
  client.setEncoding('latin1').on('data', (part: string) => {
    text += part;
    answeredAtMs ||= performance.now();
  });
  client.write(`${lines.join('\r\n')}\r\n\r\n`);
  const sending = setInterval(() => client.write(Buffer.alloc(1000, 1)), 20);
  await waitUntil('the cut', () => client.destroyed);
  clearInterval(sending);
  return { text, openForMs: performance.now() - answeredAtMs };
}

describe('SL4: a request with bytes of an upload but without a valid token', () => {
  const id = 'a'.repeat(26);
  const body = ['Content-Type: application/offset+octet-stream', 'Content-Length: 100000000'];
  const headOf = (method: string, ...more: string[]): string[] => [
    `${method} /api/uploads${method === 'PATCH' ? `/${id}` : ''} HTTP/1.1`,
    `Host: 127.0.0.1:${server.port}`,
    'Tus-Resumable: 1.0.0',
    'Upload-Offset: 0',
    'Upload-Length: 100000000',
    'Upload-Metadata: filename YS5yYXc=',
    ...more,
  ];
  const metric = async (method: string): Promise<number> => {
    const { text } = await server.ask('GET', '/metrics', { bearer: adminToken });
    const lines = text.split('\n').filter((line) => line.startsWith('wcc_http_requests_total'));
    const found = lines.filter((line) => line.includes(`method="${method}"`) && line.includes('"401"'));
    return found.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  };

  it.each([
    ['PATCH', []],
    ['PATCH', ['Authorization: Bearer wcc_expired']],
    ['POST', []],
  ] as const)('%s %j is answered, logged and counted, then cut', async (method, more) => {
    const before = await metric(method);
    const { text, openForMs } = await sendOn(headOf(method, ...more, ...body));
    expect(text).toMatch(/^HTTP\/1\.1 401 /);
    expect(text).toContain('"code":"unauthenticated"');
    expect(text.toLowerCase()).toContain('\r\nconnection: close');
    // A reset right after the answer could overtake it.
    expect(openForMs).toBeGreaterThan(1000);
    expect(openForMs).toBeLessThan(10_000);
    expect(await metric(method)).toBe(before + 1);
    const lines = server
      .log()
      .split('\n')
      .filter((line) => line.includes('"status":401'));
    expect(lines.at(-1)).toContain(`"method":"${method}"`);
  });

  it('is answered as well if it has no bytes', async () => {
    const answer = await server.ask('PATCH', `/api/uploads/${id}`, {
      headers: {
        'tus-resumable': '1.0.0',
        'upload-offset': '0',
        'content-length': '0',
        'content-type': 'application/offset+octet-stream',
      },
    });
    expect([answer.status, answer.json['code']]).toEqual([401, 'unauthenticated']);
  });
});

const tus = { 'tus-resumable': '1.0.0' };
const named = (filename: string): string => `filename ${Buffer.from(filename).toString('base64')}`;
const create = (headers: Record<string, string>, rawBody = ''): Promise<Answer> =>
  server.ask('POST', '/api/uploads', { bearer: adminToken, headers: { ...tus, ...headers }, rawBody });

describe('F3: an extension of tus that wcc does not have', () => {
  it.each([
    ['concatenation', { 'upload-concat': 'partial', 'upload-length': '5' }, 'Upload-Concat'],
    ['concatenation', { 'upload-concat': 'final;/api/uploads/a /api/uploads/b' }, 'Upload-Concat'],
  ])('%s is refused by its name, with and without metadata', async (extension, headers, field) => {
    for (const metadata of [{}, { 'upload-metadata': named('f3.raw') }]) {
      const { status, json } = await create({ ...headers, ...metadata });
      expect([status, json['code'], json['field']]).toEqual([400, 'extension_unsupported', field]);
      expect(json['detail']).toContain(extension);
    }
  });

  it('a deferred length is refused by its name, before anything else', async () => {
    const { status, json } = await create({ 'upload-defer-length': '1' });
    expect([status, json['code']]).toEqual([400, 'length_unknown']);
  });
});

it('F19: an upload without a name is refused by that cause', async () => {
  for (const metadata of ['', 'filename', 'pool YQ==']) {
    const { status, json } = await create({ 'upload-length': '5', 'upload-metadata': metadata });
    expect([status, json['code']], metadata).toEqual([400, 'filename_missing']);
  }
});

it('F28: an upload that was created although its first bytes were refused has its address in the answer', async () => {
  const answer = await create(
    {
      'upload-length': '9',
      'upload-metadata': named('f28.raw'),
      'upload-checksum': `sha1 ${Buffer.alloc(20).toString('base64')}`,
      'content-type': 'application/offset+octet-stream',
    },
    'wrong',
  );
  expect([answer.status, answer.json['code']]).toEqual([460, 'checksum_mismatch']);
  const location = String(answer.headers.location);
  const head = await server.ask('HEAD', location, { bearer: adminToken, headers: tus });
  expect([head.status, head.headers['upload-offset'], head.headers['upload-length']]).toEqual([
    200,
    '0',
    '9',
  ]);
});

it('bytes that are no image end no upload if their checksum shows that they are not those of the client', async () => {
  const { headers } = await create({ 'upload-length': '9', 'upload-metadata': named('damaged.raw') });
  const location = String(headers.location);
  const patch = (rawBody: string, intended: string): Promise<Answer> =>
    server.ask('PATCH', location, {
      bearer: adminToken,
      headers: {
        ...tus,
        'upload-offset': '0',
        'upload-checksum': `sha1 ${createHash('sha1').update(intended).digest('base64')}`,
        'content-type': 'application/offset+octet-stream',
      },
      rawBody,
    });
  const archive = '!<arch>\n\n';
  expect((await patch(archive, 'the bytes')).status).toBe(460);
  expect((await patch('the bytes', 'the bytes')).status).toBe(204);
});

it('F29: a file beyond the limit is refused with 413, and OPTIONS names the limit', async () => {
  const options = await server.ask('OPTIONS', '/api/uploads');
  const limit = Number(options.headers['tus-max-size']);
  const answer = await create({ 'upload-length': String(limit + 1), 'upload-metadata': named('f29.raw') });
  expect([answer.status, answer.json['field']]).toEqual([413, 'Upload-Length']);
  expect(answer.json['detail']).toContain('limit');
});

describe('F25: an upload that its own client begins again', () => {
  const sha256 = 'a'.repeat(64);
  const bytes = 'the first ten bytes';
  const metadata = (name: string, digest?: string): string =>
    [named(name), ...(digest === undefined ? [] : [`sha256 ${Buffer.from(digest).toString('base64')}`])].join(
      ',',
    );
  const begin = (name: string, digest?: string): Promise<Answer> =>
    create({ 'upload-length': '1000', 'upload-metadata': metadata(name, digest) });
  const offsetOf = async (location: string): Promise<unknown> => {
    const head = await server.ask('HEAD', location, { bearer: adminToken, headers: tus });
    return [head.status, head.headers['upload-offset']];
  };
  /** Begins an upload, sends some bytes, and waits until no client sends for it. */
  async function leave(name: string, digest?: string): Promise<string> {
    const location = String((await begin(name, digest)).headers.location);
    const type = { 'upload-offset': '0', 'content-type': 'application/offset+octet-stream' };
    const sent = await server.ask('PATCH', location, {
      bearer: adminToken,
      headers: { ...tus, ...type },
      rawBody: bytes,
    });
    expect(sent.status).toBe(204);
    // While a session is open, the name is taken.
    expect((await begin(name, digest)).json['code']).toBe('exists');
    const id = location.split('/').at(-1);
    await waitUntil('the end of the session', async () => {
      const { json } = await server.ask('GET', `/api/operations/${id}`, { bearer: adminToken });
      return json['state'] === 'interrupted';
    });
    return location;
  }

  it('is found again where the digest proves its bytes, and ends where nothing does', async () => {
    const [proven, changed, unproven] = await Promise.all([
      leave('f25-proven.raw', sha256),
      leave('f25-changed.raw', sha256),
      leave('f25-unproven.raw'),
    ]);
    const again = await begin('f25-proven.raw', sha256);
    expect([again.status, again.headers.location, again.headers['upload-offset']]).toEqual([
      201,
      proven,
      String(bytes.length),
    ]);
    for (const [name, digest, earlier] of [
      ['f25-changed.raw', 'b'.repeat(64), changed],
      ['f25-unproven.raw', undefined, unproven],
    ] as const) {
      const other = await begin(name, digest);
      expect([name, other.status, other.headers.location === earlier]).toEqual([name, 201, false]);
      expect([name, await offsetOf(String(other.headers.location))]).toEqual([name, [200, '0']]);
      expect([name, await offsetOf(earlier)]).toEqual([name, [410, undefined]]);
    }
  });

  it('keeps the uploads of other users', async () => {
    await server.addUser('f25');
    const location = await leave('f25-other.raw');
    const cookie = await server.signIn('f25');
    const headers = { ...tus, 'upload-length': '1000', 'upload-metadata': metadata('f25-other.raw') };
    const other = await server.ask('POST', '/api/uploads', { cookie, headers });
    expect([other.status, other.json['code']]).toEqual([409, 'exists']);
    expect(await offsetOf(location)).toEqual([200, String(bytes.length)]);
  });
});
