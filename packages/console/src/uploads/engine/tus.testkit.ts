import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Fault of the next PATCH. */
export type Fault = { status: number; isForeign?: boolean; code?: string } | 'cut' | 'hold';

/** A minimal tus server that keeps bytes in memory. Durability is tested by the real server's tests. */
export interface TusServer {
  readonly baseUrl: string;
  readonly received: Map<string, Buffer>;
  readonly requests: string[];
  /** Bytes of all received bodies, kept or not. */
  readonly sentBytes: () => number;
  fault(fault: Fault): void;
  /** Ends blocked requests with the bytes that have arrived. */
  release(): void;
  close(): Promise<void>;
}

export async function startTusServer(): Promise<TusServer> {
  const received = new Map<string, Buffer>();
  const requests: string[] = [];
  const faults: Fault[] = [];
  const blocked: (() => void)[] = [];
  let sent = 0;
  const take = (request: IncomingMessage, response: ServerResponse, id: string): void => {
    const fault = faults.shift();
    const offset = Number(request.headers['upload-offset']);
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => {
      sent += piece.length;
      pieces.push(piece);
      if (fault !== 'cut' || pieces.length < 2) return;
      keep();
      request.destroy();
    });
    const keep = (): void => {
      const before = received.get(id) ?? Buffer.alloc(0);
      received.set(id, Buffer.concat([before.subarray(0, offset), ...pieces]));
    };
    request.on('error', () => undefined);
    request.on('end', () => {
      if (typeof fault === 'object') return refuse(response, fault);
      const answer = (): void => {
        keep();
        response.writeHead(204, { 'upload-offset': String(received.get(id)?.length ?? 0) }).end();
      };
      if (fault === 'hold') blocked.push(answer);
      else answer();
    });
  };
  const server = createServer((request, response) => {
    const id = request.url?.split('/').at(-1) ?? '';
    requests.push(`${request.method} ${id}`);
    if (request.method === 'POST') {
      const next = `upload${received.size}`;
      received.set(next, Buffer.alloc(0));
      response.writeHead(201, { location: `/api/uploads/${next}` }).end();
    } else if (request.method === 'HEAD')
      response.writeHead(200, { 'upload-offset': String(received.get(id)?.length ?? 0) }).end();
    else take(request, response, id);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    requests,
    sentBytes: () => sent,
    fault: (fault) => void faults.push(fault),
    release: () => {
      for (const answer of blocked.splice(0)) answer();
    },
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}

function refuse(
  response: ServerResponse,
  fault: { status: number; isForeign?: boolean; code?: string },
): void {
  if (fault.isForeign === true) return void response.writeHead(fault.status).end('<html>nginx</html>');
  const problem = {
    type: 'about:blank',
    title: 'No.',
    status: fault.status,
    code: fault.code ?? 'internal',
    hint: '',
  };
  response
    .writeHead(fault.status, { 'content-type': 'application/problem+json' })
    .end(JSON.stringify(problem));
}
