import { once } from 'node:events';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { connect } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createOpenConnections } from '../../access/open-connections.ts';
import type { OpenConnections } from '../../access/open-connections.ts';
import type { Principal } from '../../access/principal.ts';
import { waitUntil } from '../../machines/hypervisor/wait.testkit.ts';
import { createHttpServer } from '../http-server.ts';
import { maxWaitingRequests } from './request-turns.ts';

let server: Server;
let connections: OpenConnections;
/** The paths of the requests that were handed over, and the answers that are not given yet. */
let entered: string[];
let pending: ServerResponse[];
let aborted: number;
let socket: Socket;
let received: string;

beforeEach(async () => {
  [entered, pending, aborted, received] = [[], [], 0, ''];
  connections = createOpenConnections();
  server = createHttpServer(
    (request, response) => {
      entered.push(request.url ?? '');
      pending.push(response);
      response.once('close', () => (aborted += response.writableFinished ? 0 : 1));
      const opening = connections.begin({ carrier: response, cut: () => {}, use: 'traffic' });
      opening.admit({ kind: 'token', sessionKey: request.url ?? '', expiresAtMs: null } as Principal);
    },
    { tls: null },
  );
  server.on('upgrade', (request) => entered.push(`upgrade ${request.url}`));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.on('error', () => {}).setEncoding('utf8');
  socket.on('data', (part: string) => (received += part));
  await once(socket, 'connect');
});
afterEach(async () => {
  socket.destroy();
  server.close();
  server.closeAllConnections();
  await once(server, 'close');
});

const text = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
const send = (count: number): boolean =>
  socket.write(Array.from({ length: count }, (_, number) => text(`/${number}`)).join(''));
const open = (): string[] => connections.principals().map(({ sessionKey }) => sessionKey);

it('SH4: pipelined requests of one connection run one after the other', async () => {
  send(3);
  for (const number of [0, 1, 2]) {
    await waitUntil('the request', () => entered.length > number);
    expect([entered.length, open()]).toEqual([number + 1, [`/${number}`]]);
    pending[number]?.end(`answer ${number}.`);
  }
  await waitUntil('the answers', () => received.includes('answer 2.'));
  expect(received.match(/answer \d/g)).toEqual(['answer 0', 'answer 1', 'answer 2']);
  await waitUntil('the registry', () => open().length === 0);
  socket.write(text('/later'));
  await waitUntil('the next request', () => entered.at(-1) === '/later');
  pending.at(-1)?.end('later');
  await waitUntil('its answer', () => received.endsWith('later'));
});

it('SH4: nothing of a connection stays open when its pipelined requests are cut', async () => {
  send(10);
  await waitUntil('the request', () => entered.length > 0);
  pending[0]?.write('a part');
  await waitUntil('a part', () => received.includes('a part'));
  socket.resetAndDestroy();
  await waitUntil('the end', () => aborted > 0);
  await waitUntil('the registry', () => open().length === 0);
  expect([entered, aborted]).toEqual([['/0'], 1]);
});

it('SH4: requests beyond the limit are refused in their turn, and the connection closes', async () => {
  send(maxWaitingRequests + 200);
  for (let number = 0; number <= maxWaitingRequests; number += 1) {
    await waitUntil('the request', () => pending.length > number);
    pending[number]?.end(`answer ${number}.`);
  }
  await once(socket, 'close');
  expect(entered.length).toBe(maxWaitingRequests + 1);
  expect(received.split('HTTP/1.1 200').length - 1).toBe(maxWaitingRequests + 1);
  expect(received.split('HTTP/1.1 429').length - 1).toBe(1);
  expect(received).toMatch(/retry-after: 1\r\n[^]*"code":"rate_limited"/i);
});

it('SH4: an upgrade behind a request without an answer is cut', async () => {
  const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\n';
  socket.write(`${text('/first')}GET /socket HTTP/1.1\r\nHost: x\r\n${upgrade}\r\n`);
  await once(socket, 'close');
  await waitUntil('the registry', () => open().length === 0);
  expect([entered[0], aborted]).toEqual(['/first', 1]);
});
