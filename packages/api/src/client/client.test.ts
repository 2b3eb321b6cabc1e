import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { ApiError, toProblem } from '../errors/errors.ts';
import { createApiClient } from './client.ts';
import { ApiProblem } from './problem.ts';

let server: Server | undefined;

afterEach(async () => {
  const running = server;
  server = undefined;
  running?.closeAllConnections();
  await new Promise<void>((resolve) => (running ? running.close(() => resolve()) : resolve()));
});

async function serve(handler: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const listening = createServer(handler);
  server = listening;
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(listening.address() as AddressInfo).port}`;
}

const caught = async (promise: Promise<unknown>): Promise<ApiProblem> => {
  const error: unknown = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ApiProblem);
  return error as ApiProblem;
};

describe('createApiClient', () => {
  it('sends method, address, token, body and key', async () => {
    const seen: unknown[] = [];
    const baseUrl = await serve((request, response) => {
      let text = '';
      request.on('data', (chunk: Buffer) => (text += chunk.toString()));
      request.on('end', () => {
        const { authorization, 'idempotency-key': key, 'content-type': type } = request.headers;
        seen.push({ method: request.method, url: request.url, authorization, key, type, text });
        response.writeHead(202, { 'content-type': 'application/json' }).end('{"operation":{"id":"x"}}');
      });
    });
    const client = createApiClient({ baseUrl, token: 'secret' });
    const accepted = await client.copyImage(100, { name: 'b.raw' }, 'key-1');
    expect(accepted.operation.id).toBe('x');
    expect(seen).toEqual([
      {
        method: 'POST',
        url: '/api/images/100/copy',
        authorization: 'Bearer secret',
        key: 'key-1',
        type: 'application/json',
        text: '{"name":"b.raw"}',
      },
    ]);
  });

  it('turns a problem document into an error with code, hint and field', async () => {
    const baseUrl = await serve((_request, response) => {
      const problem = toProblem(new ApiError('exists', { message: 'b.raw is taken.', field: 'name' }));
      response.writeHead(409, { 'content-type': 'application/problem+json' }).end(JSON.stringify(problem));
    });
    const error = await caught(createApiClient({ baseUrl }).copyImage(100, { name: 'b.raw' }));
    expect(error).toMatchObject({ status: 409, code: 'exists', field: 'name', message: 'b.raw is taken.' });
    expect(error.hint).not.toBe('');
  });

  it('reports foreign_answer when a proxy answers with its own page', async () => {
    const baseUrl = await serve((_request, response) => {
      response.writeHead(502, { 'retry-after': '3' }).end('<html>Bad gateway</html>');
    });
    const error = await caught(createApiClient({ baseUrl }).images());
    expect(error).toMatchObject({ status: 502, code: 'foreign_answer', retryAfterS: 3 });
  });

  it('reports unreachable for a closed port and for a server that does not answer in time', async () => {
    const closed = await caught(createApiClient({ baseUrl: 'http://127.0.0.1:1' }).images());
    expect(closed).toMatchObject({ status: 0, code: 'unreachable' });
    const baseUrl = await serve(() => undefined);
    const silent = await caught(createApiClient({ baseUrl, timeoutMs: 50 }).images());
    expect(silent).toMatchObject({ status: 0, code: 'unreachable' });
  });

  it('aborts a ticket request with its signal', async () => {
    const baseUrl = await serve(() => undefined);
    const giveUp = new AbortController();
    const pending = caught(createApiClient({ baseUrl }).watchTicket(giveUp.signal));
    giveUp.abort();
    expect(await pending).toMatchObject({ status: 0, code: 'unreachable' });
  });

  it('encodes ids in addresses', async () => {
    const urls: (string | undefined)[] = [];
    const baseUrl = await serve((request, response) => {
      urls.push(request.url);
      response.writeHead(204).end();
    });
    await createApiClient({ baseUrl }).cancel('../users');
    expect(urls).toEqual(['/api/operations/..%2Fusers/cancel']);
  });
});
