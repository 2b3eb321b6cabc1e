import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { connectionBudget, limitConnections, readDescriptorLimit } from './connection-limits.ts';
import type { ConnectionLimits } from './connection-limits.ts';

let server: Server | undefined;
const clients: Socket[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  server?.close();
  server?.closeAllConnections();
  if (server?.listening === true) await once(server, 'close');
});

/** A server that answers "ok", and keeps the connection of a request with the header `known`. */
async function start(total: number, perNetwork: number, proxies: string[] = []): Promise<void> {
  let limits: ConnectionLimits | undefined;
  server = createServer((request: IncomingMessage, response) => {
    if (request.headers['known'] !== undefined) limits?.keep(request.socket);
    response.end('ok');
  });
  const isTrustedProxy = (address: string): boolean => proxies.includes(address);
  limits = limitConnections(server, { total, perNetwork, isTrustedProxy });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
}

async function open(localAddress: string): Promise<Socket> {
  const { port } = server!.address() as AddressInfo;
  const socket = connect({ port, host: '127.0.0.1', localAddress });
  socket.on('error', () => {});
  clients.push(socket);
  await once(socket, 'connect');
  return socket;
}

/** @returns the answer, or the empty string if the connection was closed */
async function ask(socket: Socket, header = ''): Promise<string> {
  socket.write(`GET / HTTP/1.1\r\nHost: x\r\n${header}\r\n`);
  const answer = once(socket, 'data').then(([data]) => String(data));
  return Promise.race([answer, once(socket, 'close').then(() => '')]);
}

/** Connections that send the beginning of a header and then nothing. */
async function openSlow(localAddress: string, count: number): Promise<Socket[]> {
  const slow = await Promise.all(Array.from({ length: count }, () => open(localAddress)));
  for (const socket of slow) socket.write('GET / HTTP/1.1\r\nHo');
  return slow;
}

describe('SM10: slow connections of strangers', () => {
  it('leave room for other addresses and for new connections of their own address', async () => {
    await start(20, 10);
    const slow = await openSlow('127.0.0.9', 50);
    expect(await ask(await open('127.0.0.1'))).toContain('ok');
    expect(await ask(await open('127.0.0.9'))).toContain('ok');
    for (const socket of slow.slice(0, 39)) if (!socket.destroyed) await once(socket, 'close');
    expect(slow.filter((socket) => !socket.destroyed).length).toBeLessThanOrEqual(10);
  });

  it('leave room when they come from many addresses', async () => {
    await start(20, 10);
    for (let host = 10; host < 40; host += 1) await openSlow(`127.0.0.${host}`, 2);
    expect(await ask(await open('127.0.0.1'))).toContain('ok');
  });

  it('never close the connection of a known client', async () => {
    await start(20, 10);
    const known = await open('127.0.0.9');
    expect(await ask(known, 'Known: 1\r\n')).toContain('ok');
    await openSlow('127.0.0.9', 50);
    for (let host = 10; host < 40; host += 1) await openSlow(`127.0.0.${host}`, 2);
    expect(await ask(known)).toContain('ok');
  });

  it('are refused while only known clients are connected', async () => {
    await start(4, 4);
    const known = await Promise.all(Array.from({ length: 4 }, () => open('127.0.0.9')));
    for (const socket of known) expect(await ask(socket, 'Known: 1\r\n')).toContain('ok');
    expect(await ask(await open('127.0.0.1'))).toBe('');
    for (const socket of known) expect(await ask(socket)).toContain('ok');
  });

  it('have no share if they come through a trusted proxy', async () => {
    await start(20, 2, ['127.0.0.9']);
    const proxied = await Promise.all(Array.from({ length: 10 }, () => open('127.0.0.9')));
    for (const socket of proxied) expect(await ask(socket)).toContain('ok');
  });
});

it('SM10: the budget of connections stays well below the limit of descriptors', () => {
  expect(connectionBudget(700)).toEqual({ total: 444, perNetwork: 222 });
  expect(connectionBudget(1024)).toEqual({ total: 768, perNetwork: 384 });
  expect(connectionBudget(256)).toEqual({ total: 128, perNetwork: 64 });
  expect(connectionBudget(1_048_576).total).toBe(786_432);
  expect(readDescriptorLimit()).toBeGreaterThan(100);
});
