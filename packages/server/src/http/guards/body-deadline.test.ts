import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { tus } from '@wcc/api';
import type { FastifyInstance } from 'fastify';
import fastify from 'fastify';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { registerBodyDeadline } from './body-deadline.ts';

let app: FastifyInstance;
beforeEach(async () => {
  app = fastify();
  registerBodyDeadline(app, { bodyMs: 150 });
  app.addContentTypeParser(
    ['application/offset+octet-stream', 'application/octet-stream'],
    (_request, payload, done) => {
      payload.resume().on('end', () => done(null, 'read'));
    },
  );
  const slowly = async (): Promise<string> => {
    await new Promise((resolve) => setTimeout(resolve, 400));
    return 'answered';
  };
  app.get('/', slowly);
  app.post('/', { config: { streamedType: tus.contentType } }, slowly);
  await app.listen({ host: '127.0.0.1', port: 0 });
});
afterEach(() => app.close());

/** Sends the parts with 300 ms between them. @returns all received data until the connection ended */
async function send(head: string, parts: string[]): Promise<string> {
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  let received = '';
  socket.setEncoding('utf8').on('data', (part: string) => (received += part));
  const closed = once(socket, 'close');
  socket.write(`${head}\r\nHost: x\r\nConnection: close\r\n\r\n`);
  for (const part of parts) {
    await new Promise((resolve) => setTimeout(resolve, 300));
    if (socket.writable) socket.write(part);
  }
  await closed;
  return received;
}

it('closes the connection of a JSON body that arrives too slowly', async () => {
  const head = 'POST / HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 2';
  expect(await send(head, ['{', '}'])).toBe('');
});

it.each([
  'Application/JSON',
  'APPLICATION/JSON; charset=utf-8',
  ' application/json',
  'application/json;application/offset+octet-stream',
  'application/octet-stream',
])('SM10: closes the connection of a slow body of the type %s', async (type) => {
  const head = (length: string): string => `POST / HTTP/1.1\r\nContent-Type: ${type}\r\n${length}`;
  expect(await send(head('Content-Length: 2'), ['{', '}'])).toBe('');
  expect(await send(head('Transfer-Encoding: chunked'), ['1\r\n{\r\n', '1\r\n}\r\n0\r\n\r\n'])).toBe('');
});

it('does not cut the answer to a GET whose body has arrived', async () => {
  expect(await send('GET / HTTP/1.1\r\nContent-Length: 0', [])).toContain('answered');
});

it('allows slow answers and slow bodies of uploads', async () => {
  expect(await send('GET / HTTP/1.1', [])).toContain('answered');
  const quick = 'POST / HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 0';
  expect(await send(quick, [])).toContain('400');
  const upload = 'POST / HTTP/1.1\r\nContent-Type: application/offset+octet-stream\r\nContent-Length: 2';
  expect(await send(upload, ['a', 'b'])).toContain('answered');
});
