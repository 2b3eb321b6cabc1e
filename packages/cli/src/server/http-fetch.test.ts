import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { createApiClient } from '@wcc/api/client';
import { createHttpFetch } from './http-fetch.ts';

const httpFetch = createHttpFetch([]);

let server: Server | undefined;

afterEach(async () => {
  server?.closeAllConnections();
  server?.close();
});

async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const clientOf = (baseUrl: string): ReturnType<typeof createApiClient> =>
  createApiClient({ baseUrl, token: 'wcc_x', fetch: httpFetch, timeoutMs: 5000 });

it.each(['POST', 'DELETE'])(
  'sends the body of %s and reads the answer, its headers and its cookies',
  async (method) => {
    let received = '';
    const url = await serve((request, response) => {
      request.setEncoding('utf8').on('data', (part: string) => (received += part));
      request.on('end', () =>
        response
          .writeHead(201, { 'x-one': 'a', 'set-cookie': ['b=c; Path=/', 'd=e'] })
          .end(JSON.stringify({ method: request.method, type: request.headers['content-type'] })),
      );
    });
    const headers = { 'content-type': 'application/json' };
    const { signal } = new AbortController();
    const answer = await httpFetch(url, { method, headers, signal, body: '"é"' });
    expect(answer).toMatchObject({ ok: true, status: 201, cookies: ['b=c; Path=/', 'd=e'] });
    expect([answer.headers.get('X-One'), answer.headers.get('x-two')]).toEqual(['a', null]);
    expect(await answer.json()).toEqual({ method, type: 'application/json' });
    expect(received).toBe('"é"');
  },
);

it.each(['POST', 'PUT', 'PATCH', 'DELETE'])('the server reads the body of %s', async (method) => {
  const url = await serve((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (part: string) => (body += part));
    request.on('end', () => response.end(JSON.stringify({ body })));
  });
  const { signal } = new AbortController();
  const answer = await httpFetch(url, { method, headers: {}, signal, body: '{"disks":false}' });
  expect(await answer.json()).toEqual({ body: '{"disks":false}' });
});

it('accepts an answer without a body', async () => {
  const url = await serve((_request, response) => response.writeHead(204).end());
  expect(await clientOf(url).signOut()).toBeUndefined();
});

it('a connection that breaks before or within the answer is unreachable', async () => {
  for (const isWithin of [false, true]) {
    const url = await serve((_request, response) => {
      if (isWithin) response.writeHead(200, { 'content-length': '100' }).write('{');
      setImmediate(() => response.destroy());
    });
    await expect(clientOf(url).pools()).rejects.toMatchObject({ code: 'unreachable', status: 0 });
    server?.close();
  }
});

it('does not follow a redirect, so the token stays with its server', async () => {
  const url = await serve((_request, response) =>
    response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
  );
  await expect(clientOf(url).pools()).rejects.toMatchObject({ code: 'foreign_answer', status: 302 });
});
