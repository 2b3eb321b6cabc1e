import { endpoints, largestBodyBytes } from '@wcc/api/openapi';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { adminToken, startTestServer } from '../server.testkit.ts';
import type { Answer, ServerUnderTest } from '../server.testkit.ts';

let server: ServerUnderTest;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

const ask = (to: string, headers: Record<string, string>, rawBody = ''): Promise<Answer> => {
  const [method = '', path = ''] = to.split(' ');
  return server.ask(method, path, { bearer: adminToken, headers, rawBody });
};

const proceed = 'HTTP/1.1 100 Continue\r\n\r\n';

interface Chunked {
  headers: Record<string, string>;
  /** In chunks. Null: the connection ends before the body. @default no byte */
  body?: string | null;
}

/** Sends a chunked body after its head, and a second request after it. @returns both answers */
async function sendChunked(to: string, { headers, body = '0\r\n\r\n' }: Chunked): Promise<string> {
  const socket = connect(server.port, '127.0.0.1');
  socket.on('error', () => {});
  let answers = '';
  socket.setEncoding('utf8').on('data', (part: string) => (answers += part));
  const closed = once(socket, 'close');
  const host = `127.0.0.1:${server.port}`;
  const lines = Object.entries({
    host,
    authorization: `Bearer ${adminToken}`,
    'transfer-encoding': 'chunked',
    // The server has the head before the end of the body, as behind a proxy.
    expect: '100-continue',
    ...headers,
  }).map(([name, value]) => (value === '' ? '' : `${name}: ${value}\r\n`));
  socket.write(`${to} HTTP/1.1\r\n${lines.join('')}\r\n`);
  await vi.waitFor(() => expect(answers).toBe(proceed), { timeout: 20_000 });
  const next = `OPTIONS /api/uploads HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`;
  if (body === null) socket.end();
  else socket.write(`${body}${next}`);
  await closed;
  return answers.slice(proceed.length);
}

const types = [
  'application/json',
  'application/json; charset=utf-8',
  'application/octet-stream',
  'text/plain',
  'video/mp4',
  'application/x-www-form-urlencoded',
  '',
];

describe('F27: the content type of an empty body', () => {
  const tus = { 'tus-resumable': '1.0.0', 'upload-length': '5' };

  it.each(types)('"%s" does not matter when an upload is created', async (type) => {
    const name = Buffer.from(`f27-${types.indexOf(type)}.raw`).toString('base64');
    const headers = { ...tus, 'upload-metadata': `filename ${name}`, 'content-type': type };
    const created = await ask('POST /api/uploads', headers);
    expect([created.status, created.text]).toEqual([201, '']);
    const { 'tus-resumable': version } = tus;
    const ended = await ask(`DELETE ${created.headers.location}`, {
      'tus-resumable': version,
      'content-type': type,
    });
    expect(ended.status).toBe(204);
  });

  it('refuses to delete a machine without a word about its disks', async () => {
    const refusal = { code: 'malformed_request', field: 'disks' };
    const sent = await ask('DELETE /api/vms/999', {});
    expect([sent.status, sent.json]).toEqual([400, expect.objectContaining(refusal)]);
    expect(sent.json['detail']).toContain('{"disks": false} keeps them');
  });

  it.each(types)('V10l: "%s" does not matter for an order without a body', async (type) => {
    // The order itself is refused, because the machine does not exist.
    const answer = await ask('POST /api/vms/999/start', { 'content-type': type });
    expect([answer.status, answer.json['code']]).toEqual([404, 'not_found']);
  });

  it.each(types)('"%s" does not matter for an empty chunked body, as proxies send it', async (type) => {
    const name = Buffer.from(`f27-chunked-${types.indexOf(type)}.raw`).toString('base64');
    const created = await sendChunked('POST /api/uploads', {
      headers: { ...tus, 'upload-metadata': `filename ${name}`, 'content-type': type },
    });
    expect(created).toMatch(/^HTTP\/1.1 201 /);
    // Only a stream that was read to its end lets the next request of the connection pass.
    expect(created).toMatch(/HTTP\/1.1 204 [^]*tus-extension/);
    const ordered = await sendChunked('POST /api/vms/999/start', { headers: { 'content-type': type } });
    expect(ordered).toMatch(/^HTTP\/1.1 404 /);
  });

  it('a chunked body with a byte of another type is still refused', async () => {
    const answers = await sendChunked('POST /api/images/import', {
      headers: { 'content-type': 'text/plain' },
      body: '1\r\nx\r\n0\r\n\r\n',
    });
    expect(answers).toMatch(/^HTTP\/1.1 415 /);
  });

  it('a chunked body that breaks off before its end is no empty body', async () => {
    const name = Buffer.from('f27-broken.raw').toString('base64');
    const headers = { ...tus, 'upload-metadata': `filename ${name}` };
    const answers = await sendChunked('POST /api/uploads', { headers, body: null });
    expect(answers).not.toContain('201');
    const uploads = await server.ask('GET', '/api/uploads?owner=all', { bearer: adminToken });
    expect(uploads.text).not.toContain('f27-broken');
  });

  it('is still asked for by PATCH of tus, and a body of another type is still refused', async () => {
    const name = Buffer.from('f27-patch.raw').toString('base64');
    const created = await ask('POST /api/uploads', { ...tus, 'upload-metadata': `filename ${name}` });
    const at = { 'tus-resumable': '1.0.0', 'upload-offset': '0' };
    const location = String(created.headers.location);
    expect((await ask(`PATCH ${location}`, { ...at, 'content-type': 'text/plain' })).status).toBe(415);
    const type = 'application/offset+octet-stream';
    expect((await ask(`PATCH ${location}`, { ...at, 'content-type': type })).status).toBe(204);
    const typed = await ask('POST /api/images/import', { 'content-type': 'text/plain' }, 'x');
    expect(typed.status).toBe(415);
  });
});

describe('V10n: the limit of a body', () => {
  it('accepts every body that the limits of its fields accept', async () => {
    const userData = `#!/bin/sh\n# ${'漢'.repeat(32_000)}`;
    const sshKeys = Array.from({ length: 32 }, (_, index) => `ssh-rsa ${'鍵'.repeat(8000)}${index}`);
    const body = { name: 'v10n', disks: [{ kind: 'copy', image: 999 }], firstBoot: { userData, sshKeys } };
    const answer = await server.ask('POST', '/api/vms', { bearer: adminToken, body });
    // Only the image is unknown.
    expect([answer.status, answer.json['code']]).toEqual([404, 'not_found']);
    const tooLong = { ...body, firstBoot: { userData: '漢'.repeat(32_769) } };
    const refusal = await server.ask('POST', '/api/vms', { bearer: adminToken, body: tooLong });
    expect([refusal.status, refusal.json['field']]).toEqual([422, 'firstBoot.userData']);
  });

  it('is small for callers without credentials', () => {
    const open = endpoints.filter(({ signedIn, body }) => signedIn === 'none' && body !== undefined);
    expect(open.length).toBeGreaterThan(0);
    for (const { path, body } of open) expect([path, largestBodyBytes(body!) < 65_536]).toEqual([path, true]);
  });
});
