import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

export interface Refusal {
  status: number;
  /** Method and path prefix of the requests to refuse. */
  method: string;
  path: string;
  /** Number of matching requests that pass first. */
  after: number;
}

/** A reverse proxy that can answer requests itself with an HTML error page, like nginx. */
export interface HttpProxy {
  readonly port: number;
  /** Sets which requests the proxy refuses; `null` forwards all. */
  refuse(refusal: Refusal | null): void;
  close(): Promise<void>;
}

export async function createHttpProxy(targetPort: number): Promise<HttpProxy> {
  let refusal: Refusal | null = null;
  let matched = 0;
  /** Every socket of the proxy, to clients and to the server: `close` destroys them all. */
  const sockets = new Set<Socket>();
  const track = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  };
  const isRefused = ({ method, url }: IncomingMessage, { method: only, path, after }: Refusal): boolean => {
    if (method !== only || url?.startsWith(path) !== true) return false;
    matched += 1;
    return matched > after;
  };
  const server = createServer((incoming, outgoing) => {
    if (refusal === null || !isRefused(incoming, refusal)) {
      forward(targetPort, incoming, outgoing).on('socket', track);
      return;
    }
    answerAsProxy(refusal.status, incoming, outgoing);
  });
  server.on('connection', track);
  // WebSocket connections are always forwarded.
  server.on('upgrade', (incoming, client: Socket, head) => {
    const upstream = connect({ port: targetPort, host: '127.0.0.1' });
    track(upstream);
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

function forward(targetPort: number, incoming: IncomingMessage, outgoing: ServerResponse): ClientRequest {
  const { method, url, headers } = incoming;
  const upstream = request({ port: targetPort, host: '127.0.0.1', method, path: url, headers, agent: false });
  upstream.on('response', (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(outgoing);
  });
  upstream.on('error', () => outgoing.destroy());
  outgoing.on('close', () => upstream.destroy());
  incoming.pipe(upstream);
  return upstream;
}

/** Answers before the body has arrived, as nginx does if it knows the length, and discards the body. */
function answerAsProxy(status: number, incoming: IncomingMessage, outgoing: ServerResponse): void {
  outgoing.writeHead(status, { 'content-type': 'text/html', connection: 'close' });
  outgoing.end(`<html><head><title>${status}</title></head><body><center>nginx</center></body></html>`);
  incoming.resume();
}
