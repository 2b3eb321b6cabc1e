import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterEach, describe, expect, it } from 'vitest';
import { listen } from './listening.ts';
import type { ListeningServer } from './listening.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function start(host: string, port = 0): Promise<ListeningServer> {
  const server = await listen({ host, port, tls: null, trustedProxies: [] });
  closers.push(() => server.close());
  server.open((request, response) => response.end(`wcc ${request.headers.host}`));
  return server;
}

/** Another program of the host. */
async function startOther(host: string, port = 0): Promise<number> {
  const other = createServer().listen({ host, port, ipv6Only: true });
  await once(other, 'listening');
  closers.push(() => new Promise((resolve) => other.close(resolve)));
  return (other.address() as AddressInfo).port;
}

const hasIPv6 = Object.values(networkInterfaces())
  .flat()
  .some((one) => one?.address === '::1');
if (!hasIPv6) console.log('skipped: SH3 needs IPv6 on the loopback interface');

describe.skipIf(!hasIPv6)('SH3: the origin http://localhost:PORT', () => {
  it('SH3: a server does not start while another program has the other loopback address', async () => {
    const port = await startOther('::1');
    await expect(start('127.0.0.1', port)).rejects.toMatchObject({ code: 'port_in_use' });
    // Nothing of it is left.
    await startOther('127.0.0.1', port);
    const free = await startOther('127.0.0.1');
    await expect(start('::1', free)).rejects.toMatchObject({ code: 'port_in_use' });
  });

  it.each(['127.0.0.1', '::1', '0.0.0.0', 'localhost'])(
    'SH3: no other program can listen on a loopback address while a server listens on %s',
    async (host) => {
      const { port } = await start(host);
      for (const name of ['127.0.0.1', '::1'])
        await expect(startOther(name, port)).rejects.toMatchObject({ code: 'EADDRINUSE' });
      for (const name of ['127.0.0.1', '[::1]', 'localhost'])
        expect(await (await fetch(`http://${name}:${port}/`)).text()).toBe(`wcc ${name}:${port}`);
    },
  );

  it('SH3: the other address has the timeouts and limits of the server, and closes with it', async () => {
    const server = await start('127.0.0.1');
    const socket = connect({ host: '::1', port: server.port });
    await once(socket, 'connect');
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(String(answer)).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*Keep-Alive: timeout=30/);
    server.server.once('connection', ({ remoteAddress }) => expect(remoteAddress).toBe('::1'));
    const closed = once(socket, 'close');
    await server.close();
    await closed;
    await startOther('::1', server.port);
  });
});
