import { CLOSE_CODES } from '@wcc/progress';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { InputFilter } from './rfb-input.ts';

/** Maximum bytes buffered for a slow page. Above it, the machine's screen is not read. */
const highWaterBytes = 1024 ** 2;

/** How often a page gets a ping, and how long it may be silent. */
const defaultTimeouts: ScreenTimeouts = { pingMs: 20_000, silentMs: 60_000 };

export interface ScreenTimeouts {
  pingMs: number;
  silentMs: number;
}

/**
 * Connects a page with a machine's screen. Reads each side only as fast as the other side accepts, and closes both when
 * one closes. Terminates a page that neither reads nor answers, which frees its slot.
 */
export function bridgeScreen(
  socket: WebSocket,
  backend: Duplex,
  { filter, timeouts = defaultTimeouts }: { filter: InputFilter | null; timeouts?: ScreenTimeouts },
): void {
  const markAlive = terminateWhenSilent(socket, timeouts);
  backend.on('data', (chunk: Buffer) => {
    socket.send(chunk, { binary: true }, () => {
      markAlive();
      if (socket.bufferedAmount < highWaterBytes) backend.resume();
    });
    if (socket.bufferedAmount >= highWaterBytes) backend.pause();
  });
  socket.on('message', (data, isBinary) => {
    markAlive();
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

/** Terminates a socket whose computer is asleep or gone. @returns call it whenever the page has shown activity */
function terminateWhenSilent(socket: WebSocket, { pingMs, silentMs }: ScreenTimeouts): () => void {
  let seenAtMs = performance.now();
  const markAlive = (): void => {
    seenAtMs = performance.now();
  };
  const timer = setInterval(() => {
    if (performance.now() - seenAtMs > silentMs) socket.terminate();
    else socket.ping();
  }, pingMs).unref();
  socket.on('pong', markAlive);
  socket.once('close', () => clearInterval(timer));
  return markAlive;
}

/** The bytes that may pass; null for malformed RFB, which is not forwarded. */
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
