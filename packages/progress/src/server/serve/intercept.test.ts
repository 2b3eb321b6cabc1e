import { createServer, request as httpRequest } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { intercept } from './intercept.ts';

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

/** An application that answers with what it received, behind two interceptors for `/one` and `/two`. */
async function start(): Promise<{ server: Server; port: number; restore: (() => void)[] }> {
  const server = createServer((request, response) => {
    let bytes = 0;
    request.on('data', (chunk: Buffer) => (bytes += chunk.length));
    request.on('end', () => response.end(`app ${request.method} ${request.url} ${bytes}`));
  });
  servers.push(server);
  const restore = ['/one', '/two'].map((path) =>
    intercept(server, {
      request: (request, response) => {
        if (request.url !== path) return false;
        response.end(`own ${path}`);
        return true;
      },
      isOwnUpgrade: ({ url }) => url === path,
      upgrade: (_request, socket) => socket.end(`HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nup ${path}`),
    }),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, port: (server.address() as AddressInfo).port, restore };
}

const h2c = { connection: 'Upgrade', upgrade: 'h2c' };

function ask(port: number, { method = 'GET', path, headers = {}, body = [] }: AskOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest({ host: '127.0.0.1', port, method, path, headers, agent: false });
    outgoing.on('response', (response: IncomingMessage) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve(response.statusCode === 200 ? text : String(response.statusCode)));
    });
    outgoing.on('error', reject);
    for (const part of body) outgoing.write(part);
    outgoing.end();
  });
}

interface AskOptions {
  method?: string;
  path: string;
  headers?: Record<string, string>;
  body?: readonly Buffer[];
}

describe('intercept', () => {
  it('handles its own requests and upgrades, and no others', async () => {
    const { port } = await start();
    for (const path of ['/one', '/two']) {
      expect(await ask(port, { path })).toBe(`own ${path}`);
      expect(await ask(port, { path, headers: h2c })).toBe(`up ${path}`);
      expect(await ask(port, { method: 'POST', path, headers: { expect: '100-continue' } })).toBe(
        `own ${path}`,
      );
    }
    expect(await ask(port, { path: '/app' })).toBe('app GET /app 0');
  });

  it('sends no 100 Continue after an answer', async () => {
    const { port, server } = await start();
    server.on('checkContinue', (_request, response) => response.end('app'));
    const head = 'POST /one HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n';
    const socket = connect(port, '127.0.0.1', () => socket.write(head));
    let heard = '';
    for await (const chunk of socket) {
      heard += String(chunk);
      if (heard.includes('own /one')) socket.end();
    }
    expect(heard).toMatch(/own \/one$/);
    expect(heard).not.toContain('100 Continue');
  });

  it('gives foreign upgrades to the application as requests, with their whole body', async () => {
    const { port } = await start();
    expect(await ask(port, { path: '/app', headers: h2c })).toBe('app GET /app 0');
    const part = Buffer.alloc(100_000, 1);
    const headers = { ...h2c, 'content-length': '1000000' };
    const body = Array.from({ length: 10 }, () => part);
    expect(await ask(port, { method: 'POST', path: '/app', headers, body })).toBe('app POST /app 1000000');
  });

  it('never gives the application a foreign upgrade without the body that it had', async () => {
    const { port } = await start();
    const body = [Buffer.from('hello')];
    const answer = await ask(port, { method: 'POST', path: '/app', headers: h2c, body });
    expect(['411', 'app POST /app 5']).toContain(answer);
  });

  it('ends the request of an upgrade whose client leaves within the body', async () => {
    const { port, server } = await start();
    const errors: Error[] = [];
    server.prependListener('request', (request: IncomingMessage) =>
      request.on('error', (error) => errors.push(error)),
    );
    const head =
      'POST /app HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 9\r\n\r\n';
    const socket = connect(port, '127.0.0.1', () => socket.end(`${head}abc`));
    await expect.poll(() => errors.map(({ message }) => message)).toEqual(['aborted']);
    socket.destroy();
  });

  it('leaves upgrades to another listener, and everything after it is undone in any order', async () => {
    const { port, server, restore } = await start();
    server.on('upgrade', (_request, socket) =>
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nother'),
    );
    expect(await ask(port, { path: '/app', headers: h2c })).toBe('other');
    expect(await ask(port, { path: '/one', headers: h2c })).toBe('up /one');
    for (const undo of restore) undo();
    expect(await ask(port, { path: '/one', headers: h2c })).toBe('other');
    expect(await ask(port, { path: '/two' })).toBe('app GET /two 0');
    expect(server.listenerCount('upgrade')).toBe(1);
  });
});
