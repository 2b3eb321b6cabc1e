import { createServer, STATUS_CODES } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ClientMessage, ServerMessage } from '@wcc/progress/protocol';
import { subprotocol } from '@wcc/progress/protocol';
import { WebSocket, WebSocketServer } from 'ws';
import { testOrigin } from './target.testkit.ts';
import type { RunningTarget } from './target.testkit.ts';

/** What the proxy changes between a correct server and its client; everything else passes unchanged. */
export interface Tampering {
  /** Chooses one of the offered subprotocols. @default `wcc.v1` */
  chooseProtocol?: (offered: string[]) => string;
  /** Adds `wcc.v1` to the offered subprotocols. */
  addProtocol?: boolean;
  /** Changes a message of the client, or drops it with `null`. */
  toServer?: (message: ClientMessage, reply: (message: ServerMessage) => void) => ClientMessage | null;
  /** Creates a function, for each socket, that replaces a message of the server. */
  toClient?: () => (message: ServerMessage) => ServerMessage[];
  closeCode?: (code: number) => number;
  /** Answers the server's Pings instead of the client. */
  answersPings?: boolean;
}

/** Starts a proxy that makes a correct server appear broken. */
export async function startTamperingProxy(
  target: RunningTarget,
  tampering: Tampering,
): Promise<RunningTarget> {
  const http = createServer((_request, response) => response.writeHead(404).end());
  const chooseProtocol = tampering.chooseProtocol ?? (() => subprotocol);
  const sockets = new WebSocketServer({
    noServer: true,
    autoPong: false,
    handleProtocols: (protocols) => chooseProtocol([...protocols]),
  });
  http.on('upgrade', (request, raw, head) => {
    raw.on('error', () => undefined);
    const offered = (request.headers['sec-websocket-protocol'] ?? '').split(/\s*,\s*/);
    const forwarded = tampering.addProtocol === true ? [...new Set([subprotocol, ...offered])] : offered;
    const upstream = new WebSocket(target.url, forwarded, {
      origin: request.headers.origin ?? testOrigin,
      autoPong: tampering.answersPings ?? false,
    });
    // Paused until the client is connected, so that no early message is lost.
    upstream.once('upgrade', () => upstream.pause());
    upstream.on('error', () => undefined);
    upstream.once('unexpected-response', (outgoing, { statusCode = 500 }) => {
      outgoing.destroy();
      raw.end(`HTTP/1.1 ${statusCode} ${STATUS_CODES[statusCode]}\r\nConnection: close\r\n\r\n`);
    });
    upstream.once('open', () => {
      sockets.handleUpgrade(request, raw, head, (client) => {
        connectSides(client, upstream, tampering);
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

function connectSides(client: WebSocket, upstream: WebSocket, tampering: Tampering): void {
  const replace = tampering.toClient?.() ?? ((message: ServerMessage) => [message]);
  const send = (message: ServerMessage): void => client.send(JSON.stringify(message));
  upstream.on('message', (data: Buffer) => {
    for (const message of replace(JSON.parse(data.toString()) as ServerMessage)) send(message);
  });
  client.on('message', (data: Buffer, isBinary) => {
    if (isBinary || tampering.toServer === undefined) return upstream.send(data, { binary: isBinary });
    const forwarded = tampering.toServer(JSON.parse(data.toString()) as ClientMessage, send);
    if (forwarded !== null) upstream.send(JSON.stringify(forwarded));
  });
  if (tampering.answersPings !== true) upstream.on('ping', (payload) => client.ping(payload));
  client.on('pong', (payload) => upstream.pong(payload));
  upstream.on('close', (code) => {
    // 1005 and 1006 mean that there is no code; they cannot be sent.
    if (code < 1000 || code === 1005 || code === 1006) return client.terminate();
    return client.close(tampering.closeCode?.(code) ?? code);
  });
  client.on('close', () => upstream.terminate());
  client.on('error', () => undefined);
}
