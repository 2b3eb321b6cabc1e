import { CLOSE_CODES } from '@wcc/progress';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { InputFilter } from './rfb-input.ts';

/** What may wait for a slow page; then the machine's side is read no further. */
const highWaterBytes = 1024 ** 2;

/** How often a page is asked whether it is there, and how long it may say nothing at all. */
const defaultTimeouts: ScreenTimeouts = { pingMs: 20_000, silentMs: 60_000 };

export interface ScreenTimeouts {
  pingMs: number;
  silentMs: number;
}

/**
 * Joins a page with a machine's screen. Neither side is read faster than the other one takes it, and the end of one
 * is the end of both. A page that neither reads nor answers is gone, and its place is given to somebody else.
 */
export function bridgeScreen(
  socket: WebSocket,
  backend: Duplex,
  { filter, life = defaultTimeouts }: { filter: InputFilter | null; life?: ScreenTimeouts },
): void {
  const lives = terminateWhenSilent(socket, life);
  backend.on('data', (chunk: Buffer) => {
    socket.send(chunk, { binary: true }, () => {
      lives();
      if (socket.bufferedAmount < highWaterBytes) backend.resume();
    });
    if (socket.bufferedAmount >= highWaterBytes) backend.pause();
  });
  socket.on('message', (data, isBinary) => {
    lives();
    if (!isBinary) return socket.close(CLOSE_CODES.malformed);
    const bytes = filterInput(toBuffer(data), filter);
    if (bytes === null) return socket.close(CLOSE_CODES.malformed);
    if (bytes.length === 0 || backend.destroyed || backend.write(bytes)) return;
    socket.pause();
    backend.once('drain', () => socket.resume());
  });
  const end = (): void => {
    backend.destroy();
    socket.close(CLOSE_CODES.normal);
  };
  backend.once('end', end).once('close', end).once('error', end);
  socket.once('close', () => backend.destroy());
  socket.on('error', () => socket.terminate());
}

/** A laptop that was shut answers nothing, and says nothing of it either. @returns to be called at every sign of life */
function terminateWhenSilent(socket: WebSocket, { pingMs, silentMs }: ScreenTimeouts): () => void {
  let seenAtMs = performance.now();
  const lives = (): void => {
    seenAtMs = performance.now();
  };
  const timer = setInterval(() => {
    if (performance.now() - seenAtMs > silentMs) socket.terminate();
    else socket.ping();
  }, pingMs).unref();
  socket.on('pong', lives);
  socket.once('close', () => clearInterval(timer));
  return lives;
}

/** Null for what is no RFB: it is not passed on, and not guessed at. */
function filterInput(bytes: Buffer, filter: InputFilter | null): Buffer | null {
  if (filter === null) return bytes;
  try {
    return filter.pass(bytes);
  } catch {
    return null;
  }
}

function toBuffer(data: Buffer | ArrayBuffer | Buffer[]): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return Buffer.isBuffer(data) ? data : Buffer.from(data);
}
