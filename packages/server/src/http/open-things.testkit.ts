import { randomBytes } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createTestRetention } from '../storage/retention-clock.testkit.ts';
import { createSessions } from '../access/sessions.ts';
import type { EndlessFile } from '../images/import/endless-file.testkit.ts';
import { notePageKey, sessionHeaders } from './server.testkit.ts';
import type { ServerUnderTest } from './server.testkit.ts';
import { handshakeText } from './upgrade.testkit.ts';

/** Everything that a caller can hold open. */
export const openKinds = [
  'watch socket',
  'event stream',
  'event feed',
  'screen',
  'serial stream',
  'serial socket',
  'download',
  'download by form',
  'upload',
] as const;
export type OpenKind = (typeof openKinds)[number];

/** Who opens it: a session, or a program with a token. */
export type Caller = { cookie: string } | { bearer: string };

/** The things that the connections are about. */
export interface Things {
  operation: string;
  vm: number;
  image: number;
}

/** A client that never closes by itself, ignores close frames, and sends for as long as it can. */
export interface StubbornClient {
  /** Null until it is connected. */
  port(): number | null;
  /** The head and the first bytes of the answer. */
  text(): string;
  /** True once the server has cut the connection in this direction. */
  isCut(): boolean;
  destroy(): void;
}

/**
 * Something open, as the server has it. Its client cannot tell when a byte was sent, because the kernel holds
 * megabytes for a client that reads slowly.
 */
export interface OpenThing {
  /** Bytes that the server has written; for an import, bytes that it was sent. */
  movedBytes(): number;
  /** Whether the server has not begun with it: it has written nothing, and taken nothing of a body. */
  isPending(): boolean;
  /** Whether the server has closed it, or has completed its answer. */
  isOver(): boolean;
  /** The head and the first bytes of the answer, as the client has them. */
  text(): string;
  destroy(): void;
}

/** The connections of a server in this process, from now on. */
export interface ServedConnections {
  of(client: StubbornClient): OpenThing;
  close(): void;
}

export function observeConnections(port: number): ServedConnections {
  const sockets = new Map<number | null, Socket>();
  const requests = new WeakMap<Socket, IncomingMessage>();
  const answered = new WeakSet<Socket>();
  type Note = (message: { socket: Socket; request: IncomingMessage }) => void;
  const notes: Record<string, Note> = {
    'net.server.socket': ({ socket }) => {
      const { localPort, remotePort } = socket;
      if (localPort === port && remotePort !== undefined) sockets.set(remotePort, socket);
    },
    'http.server.request.start': ({ socket, request }) => void requests.set(socket, request),
    'http.server.response.finish': ({ socket }) => void answered.add(socket),
  };
  const channels = Object.entries(notes).map(([name, note]) => {
    const onMessage = (message: unknown): void => note(message as Parameters<Note>[0]);
    subscribe(name, onMessage);
    return () => unsubscribe(name, onMessage);
  });
  return {
    of(client) {
      const socketOf = (): Socket | undefined => sockets.get(client.port());
      const isOver = (): boolean => {
        const socket = socketOf();
        return socket !== undefined && (socket.destroyed || socket.writableEnded || answered.has(socket));
      };
      const movedBytes = (): number => socketOf()?.bytesWritten ?? 0;
      return {
        movedBytes,
        isPending() {
          const socket = socketOf();
          const hasTaken = socket !== undefined && requests.get(socket)?.readableDidRead === true;
          return movedBytes() === 0 && !hasTaken && !isOver();
        },
        isOver,
        text: () => client.text(),
        destroy: () => client.destroy(),
      };
    },
    close() {
      for (const end of channels) end();
    },
  };
}

/** A new session of the user. A sign-in is limited per minute, so the row is written directly. */
export async function newSession(
  server: ServerUnderTest,
  userId: string,
): Promise<{ cookie: string; key: string }> {
  const { store } = server.running;
  const user = await store.db
    .selectFrom('users')
    .selectAll()
    .where('id', '=', userId)
    .executeTakeFirstOrThrow();
  const session = createSessions({
    store,
    now: Date.now,
    retention: createTestRetention(),
    onError: () => {},
  }).prepare(user, '127.0.0.1');
  await store.write([session.statement]);
  const cookie = `wcc_sid_${server.port}=${session.secret}`;
  notePageKey(cookie, session.pageKey);
  return { cookie, key: session.key };
}

/** Gets what the opening needs, with the rights of the session. @returns the bytes that open it */
export async function prepareOpening(
  server: ServerUnderTest,
  { kind, caller, things }: { kind: OpenKind; caller: Caller; things: Things },
): Promise<Buffer> {
  const { port, origin } = server;
  const who =
    'cookie' in caller ? sessionHeaders(caller.cookie) : { authorization: `Bearer ${caller.bearer}` };
  const head = (method: string, path: string, ...more: string[]): string =>
    [
      `${method} ${path} HTTP/1.1`,
      `Host: 127.0.0.1:${port}`,
      `Origin: ${origin}`,
      ...Object.entries(who).map(([name, value]) => `${name}: ${value}`),
      ...more,
    ].join('\r\n') + '\r\n\r\n';
  const ticket = async (body: object): Promise<string> => {
    const answer = await server.ask('POST', '/api/ws-tickets', { ...caller, body });
    if (answer.status !== 200) throw new Error(answer.text);
    return String(answer.json['ticket']);
  };
  const openings: Record<OpenKind, () => Promise<string> | string> = {
    'watch socket': async () =>
      handshakeText({ port, origin, ...caller, ticket: await ticket({ purpose: 'watch' }) }),
    'event stream': () => head('GET', `/api/operations/${things.operation}/events`),
    'event feed': () => {
      const body = JSON.stringify([{ t: 'sub', id: 1, list: 'all' }]);
      const type = ['Content-Type: application/json', `Content-Length: ${body.length}`];
      return head('POST', '/api/events', ...type) + body;
    },
    screen: async () => {
      const path = `/api/vms/${things.vm}/screen`;
      const screenTicket = await ticket({ purpose: 'screen', target: String(things.vm) });
      return handshakeText({ port, path, origin, ...caller, ticket: screenTicket });
    },
    'serial socket': async () => {
      const path = `/api/vms/${things.vm}/serial/socket`;
      const serialTicket = await ticket({ purpose: 'serial', target: String(things.vm) });
      return handshakeText({ port, path, origin, ...caller, ticket: serialTicket });
    },
    'serial stream': () => head('GET', `/api/vms/${things.vm}/serial?follow=true`),
    download: () => head('GET', `/api/images/${things.image}/download`),
    'download by form': async () => {
      const body = `ticket=${await ticket({ purpose: 'download', target: String(things.image) })}`;
      const type = ['Content-Type: application/x-www-form-urlencoded', `Content-Length: ${body.length}`];
      return head('POST', `/api/images/${things.image}/download`, ...type) + body;
    },
    upload: async () => {
      const headers = {
        'tus-resumable': '1.0.0',
        'upload-length': String(64 * 1024 ** 2),
        'upload-metadata': `filename ${Buffer.from(`${randomBytes(9).toString('hex')}.raw`).toString('base64')}`,
      };
      const made = await server.ask('POST', '/api/uploads', { ...caller, headers });
      if (made.status !== 201) throw new Error(made.text);
      const patch = ['Tus-Resumable: 1.0.0', 'Upload-Offset: 0', `Content-Length: ${64 * 1024 ** 2}`];
      const type = 'Content-Type: application/offset+octet-stream';
      return head('PATCH', String(made.headers.location), type, ...patch);
    },
  };
  return Buffer.from(await openings[kind]());
}

/** Begins an import, which holds a connection that the server opens for its user. */
export function openImport(server: ServerUnderTest, caller: Caller, files: EndlessFile): OpenThing {
  const path = `/${randomBytes(9).toString('hex')}`;
  const body = { url: files.url(path), name: `${path.slice(1)}.raw` };
  let text = '';
  // The request of a user who was just disabled may be cut.
  const asked = server.ask('POST', '/api/images/import', { ...caller, body }).catch(() => null);
  void asked.then((answer) => (text = `HTTP/1.1 ${answer?.status} ${answer?.text}`));
  return {
    movedBytes: () => files.sentBytes(path),
    isPending: () => text === '' && files.sentBytes(path) === 0,
    isOver: () => text !== '' && !files.isSending(path),
    text: () => text,
    destroy: () => {},
  };
}

/** A masked binary frame, as a client sends it. */
export function binaryFrame(bytes: Buffer): Buffer {
  const mask = randomBytes(4);
  const masked = bytes.map((byte, at) => byte ^ (mask[at % 4] ?? 0));
  const length =
    bytes.length < 126
      ? Buffer.from([0x80 | bytes.length])
      : Buffer.from([0xfe, bytes.length >> 8, bytes.length & 255]);
  return Buffer.concat([Buffer.from([0x82]), length, mask, masked]);
}

/** The greeting of RFB 3.8 without a password, for shared use. */
const rfbGreeting = Buffer.from('RFB 003.008\n\x01\x01', 'latin1');
const keyPress = Buffer.from([4, 1, 0, 0, 0, 0, 0, 0x7a, 4, 0, 0, 0, 0, 0, 0, 0x7a]);

/** What the client sends repeatedly, once the server has answered. */
const inputs: Partial<Record<OpenKind, () => Buffer>> = {
  screen: () => binaryFrame(keyPress),
  upload: () => randomBytes(4096),
};

/** Opens it, and sends input every 20 ms where the kind has any. */
export function openStubbornly(port: number, kind: OpenKind, opening: Buffer): StubbornClient {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  let [text, isCut] = ['', false];
  let ownPort: number | null = null;
  socket.on('connect', () => (ownPort = socket.localPort ?? null));
  socket.on('error', () => {});
  socket.on('close', () => (isCut = true));
  // For a kind without input, the end of the output is the end.
  if (inputs[kind] === undefined) socket.on('end', () => (isCut = true));
  socket.on('data', (chunk: Buffer) => {
    if (text.length < 4096) text += chunk.toString('latin1');
    // The connection stays open for the next request.
    if (chunk.subarray(-5).toString('latin1') === '0\r\n\r\n') isCut = true;
    // A download of a sparse file would otherwise take a whole processor.
    socket.pause();
    setTimeout(() => socket.resume(), 2);
  });
  socket.write(opening);
  void sendInput(socket, kind, () => text);
  return {
    port: () => ownPort,
    text: () => text,
    isCut: () => isCut,
    destroy: () => socket.destroy(),
  };
}

async function sendInput(socket: Socket, kind: OpenKind, text: () => string): Promise<void> {
  const input = inputs[kind];
  while (kind === 'screen' && !text().includes('RFB 003.008\n') && !socket.destroyed) await sleep(5);
  if (kind === 'screen' && !socket.destroyed) socket.write(binaryFrame(rfbGreeting));
  while (input !== undefined && !socket.destroyed) {
    socket.write(input());
    await sleep(20);
  }
}
