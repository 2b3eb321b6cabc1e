import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createFaultProxy } from './fault-proxy.ts';
import type { FaultProxy } from './fault-proxy.ts';
import { until } from '../poll.ts';

let echo: Server;
let proxy: FaultProxy;
const clients: Socket[] = [];

beforeEach(async () => {
  echo = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.pipe(socket);
  });
  echo.listen(0, '127.0.0.1');
  await once(echo, 'listening');
  proxy = await createFaultProxy((echo.address() as AddressInfo).port);
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await proxy.close();
  echo.close();
});

interface Client {
  socket: Socket;
  received: () => string;
}

async function createClient(): Promise<Client> {
  const socket = connect(proxy.port, '127.0.0.1');
  clients.push(socket);
  let text = '';
  socket.on('data', (part) => (text += part.toString()));
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return { socket, received: () => text };
}

it('the fault proxy passes bytes both ways', async () => {
  const client = await createClient();
  client.socket.write('hello');
  await expect.poll(client.received).toBe('hello');
});

it('a silent connection of the fault proxy stays open without bytes and then continues where it stopped', async () => {
  const client = await createClient();
  client.socket.write('one ');
  await until(() => client.received() === 'one ', { what: 'the first echo' });
  proxy.setModeForOpen('silent');
  client.socket.write('two');
  await sleep(150);
  expect(client.received()).toBe('one ');
  expect(client.socket.destroyed).toBe(false);
  const other = await createClient();
  other.socket.write('fresh');
  await until(() => other.received() === 'fresh', {
    what: 'a new connection to pass bytes while the old one is silent',
  });
  proxy.setMode('pass');
  await until(() => client.received() === 'one two', { what: 'the rest of the echo' });
});

it('the fault proxy refuses and resets connections', async () => {
  const open = await createClient();
  proxy.setModeForNew('refuse');
  const refused = connect(proxy.port, '127.0.0.1');
  clients.push(refused);
  const [error] = (await once(refused, 'error')) as [NodeJS.ErrnoException];
  expect(error.code).toBe('ECONNRESET');
  proxy.resetAll();
  await until(() => open.socket.destroyed, { what: 'the open connection to be reset' });
});

it('the fault proxy delays bytes in both directions', async () => {
  const client = await createClient();
  proxy.setDelay(100);
  const startedAt = performance.now();
  client.socket.write('slow');
  await until(() => client.received() === 'slow', { what: 'the delayed echo' });
  // 100 ms each way; timers may fire a millisecond early.
  expect(performance.now() - startedAt).toBeGreaterThan(195);
});
