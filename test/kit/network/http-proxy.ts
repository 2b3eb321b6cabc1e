import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { createSocketTracker } from './socket-tracker.ts';

export interface Refusal {
  status: number;
  /** Method and path prefix of the requests to refuse. */
  method: string;
  path: string;
  /** Number of matching requests that pass first. */
  after: number;
}

/**
 * What happens to upgrades. `forward`: they reach the server. `strip`: as nginx by default, the request arrives there
 * without its `Upgrade`. `hang`: the proxy accepts them and forwards nothing. A number: an open socket is cut after
 * this time, in milliseconds.
 */
export type UpgradeMode = 'forward' | 'strip' | 'hang' | number;

/** A reverse proxy that can answer requests itself with an HTML error page, like nginx. */
export interface HttpProxy {
  readonly port: number;
  /** Sets which requests the proxy refuses; `null` forwards all. */
  refuse(refusal: Refusal | null): void;
  /** Sets what happens to new upgrades. At first `forward`. */
  setUpgrades(mode: UpgradeMode): void;
  /** Upgrades that arrived. */
  readonly upgradeCount: number;
  close(): Promise<void>;
}

export async function createHttpProxy(targetPort: number): Promise<HttpProxy> {
  let refusal: Refusal | null = null;
  let matched = 0;
  let upgrades: UpgradeMode = 'forward';
  let upgradeCount = 0;
  const sockets = createSocketTracker();
  const track = (socket: Socket): void => sockets.add(socket);
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
  server.on('upgrade', (incoming, client: Socket, head) => {
    upgradeCount += 1;
    client.on('error', () => undefined);
    if (upgrades === 'strip') forwardStripped(targetPort, incoming, client).on('socket', track);
    else if (upgrades !== 'hang') {
      track(tunnel(targetPort, incoming, { client, head }));
      if (typeof upgrades === 'number') setTimeout(() => client.destroy(), upgrades).unref();
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    refuse: (next) => void ([refusal, matched] = [next, 0]),
    setUpgrades: (mode) => void (upgrades = mode),
    get upgradeCount() {
      return upgradeCount;
    },
    close: () => sockets.close(server),
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

/** Connects client and server, and repeats the upgrade. @returns the connection to the server */
function tunnel(
  targetPort: number,
  incoming: IncomingMessage,
  { client, head }: { client: Socket; head: Buffer },
): Socket {
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
  return upstream;
}

/** Forwards an upgrade as a plain request, and its answer. */
function forwardStripped(targetPort: number, incoming: IncomingMessage, client: Socket): ClientRequest {
  const { method, url, headers } = incoming;
  const { upgrade: _upgrade, ...rest } = headers;
  const upstream = request({
    port: targetPort,
    host: '127.0.0.1',
    method,
    path: url,
    headers: { ...rest, connection: 'close' },
    agent: false,
  });
  upstream.on('response', ({ statusCode, statusMessage }) => {
    client.end(`HTTP/1.1 ${statusCode} ${statusMessage}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`);
    upstream.destroy();
  });
  upstream.on('error', () => client.destroy());
  upstream.end();
  return upstream;
}

/** Answers before the body has arrived, as nginx does if it knows the length, and discards the body. */
function answerAsProxy(status: number, incoming: IncomingMessage, outgoing: ServerResponse): void {
  outgoing.writeHead(status, { 'content-type': 'text/html', connection: 'close' });
  outgoing.end(`<html><head><title>${status}</title></head><body><center>nginx</center></body></html>`);
  incoming.resume();
}
