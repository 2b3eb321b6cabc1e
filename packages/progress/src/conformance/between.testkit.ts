import { createServer, STATUS_CODES } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ClientMessage, ServerMessage } from '@wcc/progress';
import { SUBPROTOCOL } from '@wcc/progress';
import { WebSocket, WebSocketServer } from 'ws';
import { testOrigin } from './target.testkit.ts';
import type { RunningTarget } from './target.testkit.ts';

/** What somebody between a right server and its client spoils; the rest passes as it is. */
export interface Spoils {
  /** Which of the offered subprotocols is chosen. @default `wcc.v1` */
  choose?: (offered: string[]) => string;
  /** Passes these handshakes as if they had offered `wcc.v1`. */
  addProtocol?: boolean;
  toServer?: (message: ClientMessage, reply: (message: ServerMessage) => void) => ClientMessage | null;
  /** What the client gets instead of a message; made anew for each socket. */
  toClient?: () => (message: ServerMessage) => ServerMessage[];
  closeCode?: (code: number) => number;
  /** Answers the server's Pings itself. */
  answersPings?: boolean;
}

/** A server between, which makes a broken one of a right one. */
export async function startBetween(target: RunningTarget, spoils: Spoils): Promise<RunningTarget> {
  const http = createServer((_request, response) => response.writeHead(404).end());
  const chosen = spoils.choose ?? (() => SUBPROTOCOL);
  const sockets = new WebSocketServer({
    noServer: true,
    autoPong: false,
    handleProtocols: (protocols) => chosen([...protocols]),
  });
  http.on('upgrade', (request, raw, head) => {
    raw.on('error', () => undefined);
    const offered = (request.headers['sec-websocket-protocol'] ?? '').split(/\s*,\s*/);
    const passed = spoils.addProtocol === true ? [...new Set([SUBPROTOCOL, ...offered])] : offered;
    const upstream = new WebSocket(target.url, passed, {
      origin: request.headers.origin ?? testOrigin,
      autoPong: spoils.answersPings ?? false,
    });
    // What comes with the answer or right after it must not be lost: it waits until the client is there.
    upstream.once('upgrade', () => upstream.pause());
    upstream.on('error', () => undefined);
    upstream.once('unexpected-response', (outgoing, { statusCode = 500 }) => {
      outgoing.destroy();
      raw.end(`HTTP/1.1 ${statusCode} ${STATUS_CODES[statusCode]}\r\nConnection: close\r\n\r\n`);
    });
    upstream.once('open', () => {
      sockets.handleUpgrade(request, raw, head, (client) => {
        join(client, upstream, spoils);
        upstream.resume();
      });
    });
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const { port } = http.address() as AddressInfo;
  return {
    ...target,
    url: `ws://127.0.0.1:${port}/api/ws`,
    close: async () => {
      for (const client of sockets.clients) client.terminate();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
      await target.close();
    },
  };
}

function join(client: WebSocket, upstream: WebSocket, spoils: Spoils): void {
  const spoil = spoils.toClient?.() ?? ((message: ServerMessage) => [message]);
  const say = (message: ServerMessage): void => client.send(JSON.stringify(message));
  upstream.on('message', (data: Buffer) => {
    for (const message of spoil(JSON.parse(data.toString()) as ServerMessage)) say(message);
  });
  client.on('message', (data: Buffer, isBinary) => {
    if (isBinary || spoils.toServer === undefined) return upstream.send(data, { binary: isBinary });
    const passed = spoils.toServer(JSON.parse(data.toString()) as ClientMessage, say);
    if (passed !== null) upstream.send(JSON.stringify(passed));
  });
  if (spoils.answersPings !== true) upstream.on('ping', (payload) => client.ping(payload));
  client.on('pong', (payload) => upstream.pong(payload));
  upstream.on('close', (code) => {
    // 1005 and 1006 stand for the absence of a code and cannot be sent.
    if (code < 1000 || code === 1005 || code === 1006) return client.terminate();
    return client.close(spoils.closeCode?.(code) ?? code);
  });
  client.on('close', () => upstream.terminate());
  client.on('error', () => undefined);
}
