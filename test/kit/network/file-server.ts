import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

/** One request to a file server. */
export interface FileRequest {
  /** Number of earlier requests for this path. */
  number: number;
  /** First requested byte; `null` for the whole file. */
  fromByte: number | null;
  request: IncomingMessage;
}

export type FileHandler = (response: ServerResponse, requested: FileRequest) => void;

/** A file server with handlers of the test, which may send correct or wrong answers. */
export interface FileServer {
  readonly port: number;
  readonly origin: string;
  /** Sets the handler of a path. @returns the URL of the path */
  serve(path: string, handler: FileHandler): string;
  /** The requests for this path. */
  requestsFor(path: string): readonly FileRequest[];
  /** Number of requests for all paths. */
  readonly requestCount: number;
  close(): Promise<void>;
}

/** @param wanted the port; 0 lets the system choose */
export async function startFileServer(host = '127.0.0.1', wanted = 0): Promise<FileServer> {
  const handlers = new Map<string, FileHandler>();
  const requested = new Map<string, FileRequest[]>();
  let requests = 0;
  const server = createServer((request, response) => {
    requests += 1;
    const path = (request.url ?? '').split('?')[0] ?? '';
    const before = requested.get(path) ?? [];
    const first = /^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1];
    const one = { number: before.length, fromByte: first === undefined ? null : Number(first), request };
    requested.set(path, [...before, one]);
    const handler = handlers.get(path);
    if (handler === undefined) response.writeHead(404).end('nothing here');
    else handler(response, one);
  });
  server.listen(wanted, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const origin = `http://${host}:${port}`;
  return {
    port,
    origin,
    serve(path, handler) {
      handlers.set(path, handler);
      return `${origin}${path}`;
    },
    requestsFor: (path) => requested.get(path) ?? [],
    get requestCount() {
      return requests;
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

export interface FileOptions {
  /** @default none */
  etag?: string;
  /** @default none */
  headers?: Record<string, string>;
  /** Supports Range and If-Range. @default true */
  hasRanges?: boolean;
  /** Number of bytes after which a connection breaks; `null` for never. */
  cutAfterBytes?: (requested: FileRequest) => number | null;
  /** Maximum rate. @default no limit */
  bytesPerSecond?: number;
}

/** Serves bytes like a correct server, over a network with the given faults. */
export function fileHandler(bytes: Buffer, options: FileOptions = {}): FileHandler {
  const { etag, hasRanges = true, cutAfterBytes = () => null, bytesPerSecond } = options;
  return (response, requested) => {
    const ifRange = requested.request.headers['if-range'];
    const isSame = ifRange === undefined || ifRange === etag;
    const from = hasRanges && isSame ? (requested.fromByte ?? 0) : 0;
    const isPart = hasRanges && isSame && requested.fromByte !== null;
    const tag = { ...options.headers, ...(etag === undefined ? {} : { etag }) };
    if (isPart && from >= bytes.length) {
      response.writeHead(416, { 'content-range': `bytes */${bytes.length}`, ...tag }).end();
      return;
    }
    const range = isPart ? { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` } : {};
    const part = bytes.subarray(from);
    response.writeHead(isPart ? 206 : 200, { 'content-length': String(part.length), ...range, ...tag });
    const cut = cutAfterBytes(requested);
    if (bytesPerSecond !== undefined) return drip(response, part, bytesPerSecond);
    if (cut === null || cut >= part.length) return void response.end(part);
    // Waits until the bytes are sent, because a reset discards bytes in the send buffer.
    response.write(part.subarray(0, cut), () => setTimeout(() => response.destroy(), 50));
  };
}

const dripMs = 20;

function drip(response: ServerResponse, part: Buffer, bytesPerSecond: number): void {
  const pieceBytes = Math.ceil((bytesPerSecond * dripMs) / 1000);
  let at = 0;
  const timer = setInterval(() => {
    if (at >= part.length) {
      clearInterval(timer);
      response.end();
      return;
    }
    if (!response.writableNeedDrain) response.write(part.subarray(at, (at += pieceBytes)));
  }, dripMs);
  response.on('close', () => clearInterval(timer));
}
