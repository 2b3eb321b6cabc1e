import { createServer } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

export interface SpiedRequest {
  url: string;
  headers: IncomingHttpHeaders;
  body: string;
}

/** Another service on the same host. It keeps everything that it receives. */
export interface SpyingService {
  readonly origin: string;
  readonly received: readonly SpiedRequest[];
  /** Everything that it received, as one text. */
  text(): string;
  /** The values of all cookies of this name that it received. */
  cookies(name: string): string[];
  close(): Promise<void>;
}

const workerScript = `
self.addEventListener('install', () => self.skipWaiting());
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));
self.addEventListener('fetch', (event) => event.respondWith(fetch(event.request)));
`;

/**
 * `/set?cookie=…` sets a cookie, `/to?url=…` redirects, `/events` is an event stream, `/sw.js` a service worker, and
 * every other address a page. Upgrades are recorded and refused.
 */
export async function startSpyingService(): Promise<SpyingService> {
  const received: SpiedRequest[] = [];
  const server = createServer((request, response) => void answer(request, response, received));
  server.on('upgrade', ({ url = '', headers }: IncomingMessage, socket) => {
    received.push({ url, headers, body: '' });
    socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    text: () => JSON.stringify(received),
    cookies: (name) =>
      received.flatMap(({ headers }) =>
        (headers.cookie ?? '')
          .split('; ')
          .flatMap((pair) => (pair.startsWith(`${name}=`) ? [pair.slice(name.length + 1)] : [])),
      ),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  received: SpiedRequest[],
): Promise<void> {
  let body = '';
  for await (const part of request.setEncoding('utf8')) body += String(part);
  const { url = '/', headers } = request;
  received.push({ url, headers, body });
  const { pathname, searchParams } = new URL(url, 'http://service.test');
  if (pathname === '/set') response.setHeader('set-cookie', searchParams.getAll('cookie'));
  if (pathname === '/to') {
    response.statusCode = 307;
    response.setHeader('location', searchParams.get('url') ?? '/');
  }
  if (pathname === '/sw.js') response.setHeader('content-type', 'text/javascript');
  else if (pathname === '/events') response.setHeader('content-type', 'text/event-stream');
  else response.setHeader('content-type', 'text/html');
  response.end(pathname === '/sw.js' ? workerScript : '<!doctype html><title>another service</title>');
}
