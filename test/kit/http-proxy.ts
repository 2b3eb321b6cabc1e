import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

export interface Refusal {
  status: number;
  /** Only requests of this method, to addresses that begin so. */
  method: string;
  path: string;
  /** Number of requests that still pass. */
  after: number;
}

/** A reverse proxy that answers in the place of the server, with a page of its own as nginx does. */
export interface HttpProxy {
  readonly port: number;
  /** From now on; `null`: everything goes through. */
  refuse(refusal: Refusal | null): void;
  close(): Promise<void>;
}

export async function createHttpProxy(targetPort: number): Promise<HttpProxy> {
  let refusal: Refusal | null = null;
  let matched = 0;
  const sockets = new Set<Socket>();
  const isRefused = ({ method, url }: IncomingMessage, { method: only, path, after }: Refusal): boolean => {
    if (method !== only || url?.startsWith(path) !== true) return false;
    matched += 1;
    return matched > after;
  };
  const server = createServer((incoming, outgoing) => {
    if (refusal === null || !isRefused(incoming, refusal)) return forward(targetPort, incoming, outgoing);
    answerAsProxy(refusal.status, incoming, outgoing);
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  // The socket of the live connection is passed through as it is.
  server.on('upgrade', (incoming, client: Socket, head) => {
    const upstream = connect({ port: targetPort, host: '127.0.0.1' });
    const lines = [`${incoming.method} ${incoming.url} HTTP/1.1`];
    for (let at = 0; at < incoming.rawHeaders.length; at += 2)
      lines.push(`${incoming.rawHeaders[at]}: ${incoming.rawHeaders[at + 1]}`);
    upstream.write(`${lines.join('\r\n')}\r\n\r\n`);
    upstream.write(head);
    client.pipe(upstream).pipe(client);
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    refuse: (next) => void ([refusal, matched] = [next, 0]),
    close: async () => {
      server.close();
      for (const socket of sockets) socket.destroy();
      if (server.listening) await once(server, 'close');
    },
  };
}

function forward(targetPort: number, incoming: IncomingMessage, outgoing: ServerResponse): void {
  const { method, url, headers } = incoming;
  const upstream = request({ port: targetPort, host: '127.0.0.1', method, path: url, headers, agent: false });
  upstream.on('response', (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(outgoing);
  });
  upstream.on('error', () => outgoing.destroy());
  outgoing.on('close', () => upstream.destroy());
  incoming.pipe(upstream);
}

/** At once, as nginx does that knows the length; what still comes of the body is read and thrown away. */
function answerAsProxy(status: number, incoming: IncomingMessage, outgoing: ServerResponse): void {
  outgoing.writeHead(status, { 'content-type': 'text/html', connection: 'close' });
  outgoing.end(`<html><head><title>${status}</title></head><body><center>nginx</center></body></html>`);
  incoming.resume();
}
