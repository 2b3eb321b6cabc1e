import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { fetchHead } from './fetch-head.ts';

const bytes = randomBytes(3 * 1024 ** 2);
let server: Server;
afterEach(() => {
  server.close().closeAllConnections();
});

it.each([
  ['of announced length', { 'content-length': String(bytes.length) }],
  ['in chunks', {}],
])(
  'E: the memory that the socket read for a body %s is freed at once, and no byte is lost',
  async (_, headers) => {
    server = createServer((_request, response) => {
      response.writeHead(200, headers);
      for (let at = 0; at < bytes.length; at += 100_000) response.write(bytes.subarray(at, at + 100_000));
      response.end();
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const source = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/a.raw`);
    const { signal } = new AbortController();
    const { answer, body } = await fetchHead(source, { isAllowed: () => true, signal, from: null });
    const { socket } = answer;
    const reads: Buffer[] = [];
    socket.on('data', (read: Buffer) => reads.push(read));
    const parts: Buffer[] = [];
    for await (const part of body) parts.push(part);
    expect(Buffer.concat(parts).equals(bytes)).toBe(true);
    expect(reads.length).toBeGreaterThan(10);
    // The first read of a body shows that the parser copies.
    expect(reads.slice(1).filter(({ length }) => length > 0)).toEqual([]);
    expect(socket.listenerCount('data')).toBeLessThanOrEqual(2);
  },
);
