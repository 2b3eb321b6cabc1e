import { createServer, request as httpRequest } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocket } from 'ws';
import { createClient } from '../../client/client.ts';
import type { ConnectOptions, ProgressClient } from '../../client/client.ts';
import { createHub } from '../hub.ts';
import type { Hub } from '../hub.ts';
import { serveProgress } from '../serve-progress.ts';
import type { ProgressServer } from '../serve-progress.ts';
import type { ServeProgressOptions } from '../serve/options.ts';

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

/** What a browser of one user does: it sends the cookie and the Origin of the page. */
export interface Page {
  fetch: typeof fetch;
  ask(
    method: string,
    path: string,
    extra?: { headers?: Record<string, string>; body?: string },
  ): Promise<Answer>;
  connect(options?: ConnectOptions): ProgressClient;
}

export interface Served {
  hub: Hub;
  server: Server;
  progress: ProgressServer;
  port: number;
  errors: { error: unknown; stage: string }[];
  page: (user: string | null) => Page;
  close: () => Promise<void>;
}

/** The user of a test is the cookie `sid`. */
export const userOfCookie = ({ headers }: IncomingMessage): string | null =>
  /(?:^|; )sid=([^;]+)/.exec(headers.cookie ?? '')?.[1] ?? null;

export type ServedOptions = Partial<ServeProgressOptions> & { app?: RequestListener };

/** A real server with an application and `serveProgress`, with as few options as possible. */
export async function startServed({ app, ...options }: ServedOptions = {}): Promise<Served> {
  const errors: Served['errors'] = [];
  const hub = options.hub ?? createHub({ tickMs: 20 });
  const server = createServer(app ?? ((request, response) => response.end(`app ${request.url ?? ''}`)));
  const progress = serveProgress(server, {
    hub,
    user: userOfCookie,
    onError: (error, { stage }) => errors.push({ error, stage }),
    ...options,
  });
  const clients = new Set<ProgressClient>();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    hub,
    server,
    progress,
    port,
    errors,
    page: (user) => createPage(port, user, clients),
    close: async () => {
      for (const client of clients) client.close();
      await progress.close();
      hub.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export function createPage(port: number, user: string | null, clients: Set<ProgressClient>): Page {
  const origin = `http://127.0.0.1:${port}`;
  const headers: Record<string, string> = { origin, ...(user === null ? {} : { cookie: `sid=${user}` }) };
  const pageFetch: typeof fetch = (input, init) =>
    fetch(input, { ...init, headers: { ...(init?.headers as Record<string, string>), ...headers } });
  class PageSocket extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols, { headers });
    }
  }
  return {
    fetch: pageFetch,
    ask: (method, path, extra = {}) =>
      ask(port, { method, path, headers: { ...headers, ...extra.headers }, body: extra.body }),
    connect: (options = {}) => {
      const client = createClient(`${origin}/progress`, {
        fetch: pageFetch,
        WebSocket: PageSocket,
        ...options,
      });
      clients.add(client);
      return client;
    },
  };
}

export interface Asked {
  method: string;
  path: string;
  headers?: Record<string, string>;
  body?: string | undefined;
}

/** One request with exactly these headers. An answer without an end resolves with its first bytes. */
export function ask(port: number, { method, path, headers = {}, body }: Asked): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(
      { port, host: '127.0.0.1', method, path, headers, agent: false },
      (response) => {
        let text = '';
        const done = (): void => {
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text });
          outgoing.destroy();
        };
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
          if (response.headers['content-type']?.startsWith('text/event-stream') === true)
            setTimeout(done, 100);
        });
        response.on('end', done);
        response.on('error', () => undefined);
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
