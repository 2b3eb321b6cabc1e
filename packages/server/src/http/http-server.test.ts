import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { createHttpServer } from './http-server.ts';

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  }
});

const timeouts = { headersTimeout: 300, connectionsCheckingInterval: 50, inactivity: 1000 };

/** Sends the text to a server that answers after `answerAfterMs`. @returns how long the connection lived */
async function lifetimeMs(text: string, answerAfterMs = 0): Promise<{ ms: number; received: string }> {
  const server = createHttpServer(
    (_request, response) => void setTimeout(() => response.end('done'), answerAfterMs),
    { tls: null, timeouts },
  );
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.on('error', () => {});
  let received = '';
  socket.setEncoding('utf8').on('data', (part: string) => (received += part));
  const startedMs = performance.now();
  socket.write(text);
  await once(socket, 'close');
  return { ms: performance.now() - startedMs, received };
}

it('closes a connection with an incomplete header, although requests have no time limit', async () => {
  const { ms, received } = await lifetimeMs('GET / HTTP/1.1\r\nHo');
  expect(received).toContain('408');
  expect(ms).toBeLessThan(10_000);
});

it('closes an idle connection', async () => {
  const { ms } = await lifetimeMs('');
  expect(ms).toBeGreaterThan(250);
  expect(ms).toBeLessThan(10_000);
});

it('allows a request to take longer than the header timeout', async () => {
  const { received } = await lifetimeMs('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', 600);
  expect(received).toContain('done');
});
