import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import type { Socket } from 'node:net';
import type { ServerMessage } from '@wcc/progress/protocol';
import { subprotocol, ticketPrefix } from '@wcc/progress/protocol';
import { testOrigin } from './gateway.testkit.ts';
import type { GatewayUnderTest } from './gateway.testkit.ts';

const opcodes = { text: 1, close: 8, ping: 9, pong: 10 } as const;

export interface Frame {
  opcode: number;
  payload: Buffer;
}

/** The request lines of a handshake; `changes` replace them or remove them with `null`. */
export function handshake(under: GatewayUnderTest, changes: Record<string, string | null> = {}): string {
  const headers: Record<string, string | null> = {
    Host: `127.0.0.1:${under.port}`,
    Origin: testOrigin,
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
    ...changes,
  };
  headers['Sec-WebSocket-Protocol'] ??= `${subprotocol}, ${ticketPrefix}${under.ticket()}`;
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    value === null || name === 'path' ? [] : [`${name}: ${value}`],
  );
  return `GET ${changes['path'] ?? '/api/ws'} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`;
}

export async function openTcp(under: GatewayUnderTest): Promise<Socket> {
  const socket = connectTcp({ port: under.port, host: '127.0.0.1' });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** Sends a raw handshake. @returns the status and the whole answer */
export async function rawHandshake(
  under: GatewayUnderTest,
  request: string,
): Promise<{ status: number; text: string }> {
  const socket = await openTcp(under);
  socket.write(request);
  let text = '';
  const done = new Promise<void>((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (text.startsWith('HTTP/1.1 101') && text.includes('\r\n\r\n')) resolve();
    });
    socket.on('close', () => resolve());
  });
  await done;
  socket.destroy();
  return { status: Number(text.slice(9, 12)), text };
}

/** A client frame with a mask of zeros (RFC 6455, 5.3). */
export function clientFrame(opcode: number, payload: Buffer, isLast = true): Buffer {
  const head = Buffer.from([(isLast ? 0x80 : 0) | opcode]);
  const length =
    payload.length < 126
      ? Buffer.from([0x80 | payload.length])
      : Buffer.from([0x80 | 126, payload.length >> 8, payload.length & 255]);
  return Buffer.concat([head, length, Buffer.alloc(4), payload]);
}

/** Removes complete server frames from the received bytes. */
function takeFrames(buffered: Buffer): { frames: Frame[]; rest: Buffer } {
  const frames: Frame[] = [];
  let at = 0;
  while (buffered.length - at >= 2) {
    const short = buffered.readUInt8(at + 1) & 0x7f;
    const head = short < 126 ? 2 : short === 126 ? 4 : 10;
    if (buffered.length - at < head) break;
    const length =
      short < 126
        ? short
        : short === 126
          ? buffered.readUInt16BE(at + 2)
          : Number(buffered.readBigUInt64BE(at + 2));
    if (buffered.length - at < head + length) break;
    frames.push({
      opcode: buffered.readUInt8(at) & 15,
      payload: buffered.subarray(at + head, at + head + length),
    });
    at += head + length;
  }
  return { frames, rest: buffered.subarray(at) };
}

/** A WebSocket client that reads a limited number of bytes per second and answers Pings when they arrive. */
export interface SlowReader {
  onMessage(listener: (message: ServerMessage) => void): void;
  send(message: Record<string, unknown>): void;
  /** Sets the bytes read per second; 0 stops the reading. */
  setBytesPerSecond(bytesPerSecond: number): void;
  closeCode(): number | null;
  readonly socket: Socket;
  stop(): void;
}

const stepMs = 20;

export async function connectSlowReader(
  under: GatewayUnderTest,
  bytesPerSecond: number,
): Promise<SlowReader> {
  const socket = await openTcp(under);
  const listeners: ((message: ServerMessage) => void)[] = [];
  let speed = Number.POSITIVE_INFINITY;
  let allowance = 0;
  let waiting = Buffer.alloc(0);
  let arrived = Buffer.alloc(0);
  let closeCode: number | null = null;
  socket.pause();
  socket.write(handshake(under));
  await once(socket, 'readable');
  // The answer of the handshake may arrive together with the first frame.
  const first = socket.read() as Buffer;
  waiting = Buffer.from(first.subarray(first.indexOf('\r\n\r\n') + 4));

  const hear = (frame: Frame): void => {
    if (frame.opcode === opcodes.ping) socket.write(clientFrame(opcodes.pong, frame.payload));
    if (frame.opcode === opcodes.close) closeCode = frame.payload.readUInt16BE(0);
    if (frame.opcode !== opcodes.text) return;
    const message = JSON.parse(frame.payload.toString()) as ServerMessage;
    for (const listener of listeners) listener(message);
  };

  const step = setInterval(() => {
    if (speed === 0) return;
    const chunk = socket.read() as Buffer | null;
    if (chunk !== null) waiting = Buffer.concat([waiting, chunk]);
    allowance = Math.min(waiting.length, allowance + (speed * stepMs) / 1000);
    const bytes = Math.floor(allowance);
    allowance -= bytes;
    const { frames, rest } = takeFrames(Buffer.concat([arrived, waiting.subarray(0, bytes)]));
    waiting = waiting.subarray(bytes);
    arrived = Buffer.from(rest);
    for (const frame of frames) hear(frame);
  }, stepMs);

  speed = bytesPerSecond;
  return {
    onMessage: (listener) => void listeners.push(listener),
    send: (message) => void socket.write(clientFrame(opcodes.text, Buffer.from(JSON.stringify(message)))),
    setBytesPerSecond: (next) => {
      speed = next;
    },
    closeCode: () => closeCode,
    socket,
    stop: () => {
      clearInterval(step);
      socket.destroy();
    },
  };
}
