import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { once } from 'node:events';

/** A request to a raw server, and the socket for an answer of any form. */
export interface RawRequest {
  path: string;
  /** Number of earlier requests for this path. */
  number: number;
  /** First byte of the requested range; null: the whole file. */
  fromByte: number | null;
  /** Names in lower case. */
  headers: Readonly<Record<string, string>>;
  socket: Socket;
}

/** A server that writes what its handlers want, also what no HTTP server would. One request for each connection. */
export interface RawServer {
  readonly origin: string;
  serve(path: string, handler: (request: RawRequest) => void): string;
  requestsFor(path: string): number;
  close(): Promise<void>;
}

export async function startRawServer(): Promise<RawServer> {
  const handlers = new Map<string, (request: RawRequest) => void>();
  const counts = new Map<string, number>();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    let head = '';
    socket.setEncoding('latin1').on('data', (part: string) => {
      const isAnswered = head.includes('\r\n\r\n');
      head += part;
      if (isAnswered || !head.includes('\r\n\r\n')) return;
      const request = parseHead(head, socket);
      const number = counts.get(request.path) ?? 0;
      counts.set(request.path, number + 1);
      const handler = handlers.get(request.path);
      if (handler === undefined) socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n');
      else handler({ ...request, number });
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    origin,
    serve(path, handler) {
      handlers.set(path, handler);
      return `${origin}${path}`;
    },
    requestsFor: (path) => counts.get(path) ?? 0,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function parseHead(text: string, socket: Socket): Omit<RawRequest, 'number'> {
  const [first = '', ...lines] = (text.split('\r\n\r\n', 1)[0] ?? '').split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => {
      const at = line.indexOf(':');
      return [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()];
    }),
  );
  const from = /^bytes=(\d+)-$/.exec(headers['range'] ?? '')?.[1];
  const fromByte = from === undefined ? null : Number(from);
  return { path: first.split(' ')[1]?.split('?')[0] ?? '', fromByte, headers, socket };
}
