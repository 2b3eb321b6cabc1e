import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { WebSocket } from 'ws';

export interface Handshake {
  port: number;
  path?: string;
  host?: string;
  origin?: string;
  cookie?: string;
  ticket?: string;
  bearer?: string;
  /** Offered subprotocols. @default `wcc.v1`, then the ticket */
  protocols?: readonly string[];
}

/** The bytes of a handshake with exactly these headers. */
export function handshakeText(handshake: Handshake): string {
  const { port, path = '/api/ws', host = `127.0.0.1:${port}`, origin, cookie, ticket, bearer } = handshake;
  const offered = ticket === undefined ? ['wcc.v1'] : ['wcc.v1', `wcc.ticket.${ticket}`];
  const headers = [
    `Host: ${host}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
    `Sec-WebSocket-Protocol: ${(handshake.protocols ?? offered).join(', ')}`,
    ...(origin === undefined ? [] : [`Origin: ${origin}`]),
    ...(cookie === undefined ? [] : [`Cookie: ${cookie}`]),
    ...(bearer === undefined ? [] : [`Authorization: Bearer ${bearer}`]),
  ];
  return `GET ${path} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`;
}

export interface HandshakeAnswer {
  status: number;
  /** The whole head of the answer. */
  head: string;
}

/** Sends a raw handshake and closes the socket after the head of the answer. */
export async function shakeHands(handshake: Handshake): Promise<HandshakeAnswer> {
  const socket = connect(handshake.port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write(handshakeText(handshake));
  const head = await readHead(socket);
  socket.destroy();
  return { status: Number(head.split(' ', 2)[1]), head };
}

async function readHead(socket: Socket): Promise<string> {
  let text = '';
  for await (const part of socket.setEncoding('latin1')) {
    text += String(part);
    if (text.includes('\r\n\r\n')) break;
  }
  return text.split('\r\n\r\n', 1)[0] ?? '';
}

export interface OpenSocket {
  socket: WebSocket;
  /** Resolves with the close code. */
  closed: Promise<number>;
  messages: string[];
}

/** A real client that received `hello`. */
export async function openSocket({ port, origin, cookie, ticket, bearer }: Handshake): Promise<OpenSocket> {
  const socket = new WebSocket(
    `ws://127.0.0.1:${port}/api/ws`,
    ['wcc.v1', ...(ticket === undefined ? [] : [`wcc.ticket.${ticket}`])],
    {
      ...(origin === undefined ? {} : { origin }),
      headers: {
        ...(cookie === undefined ? {} : { cookie }),
        ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
      },
    },
  );
  const messages: string[] = [];
  socket.on('message', (data: Buffer) => messages.push(data.toString()));
  const closed = once(socket, 'close').then(([code]) => code as number);
  await once(socket, 'message');
  return { socket, closed, messages };
}
