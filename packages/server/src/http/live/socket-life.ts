import { defaultLimits } from '@wcc/progress/protocol';
import type { CloseCode } from '@wcc/progress/protocol';
import type { WebSocket } from 'ws';

/** A page that does not answer the close frame is terminated after this time. */
const closeGraceMs = 800;

/** All in milliseconds. */
export interface LifeTimeouts {
  /** How often a page gets a ping. */
  pingMs: number;
  /** How long a page may be silent. */
  silentMs: number;
  /** After this time without another message, a page gets a heartbeat. */
  heartbeatMs: number;
}

const defaultTimeouts: LifeTimeouts = {
  pingMs: 20_000,
  silentMs: 60_000,
  heartbeatMs: defaultLimits.heartbeatMs,
};

/** The heartbeat of sockets whose other messages are binary. */
const heartbeat = JSON.stringify({ t: 'hb' });

export interface SocketLife {
  /** The page has shown activity. */
  noteReceived(): void;
  /** A message was sent, so that no heartbeat is due. */
  noteSent(): void;
}

/**
 * Terminates a socket whose computer is asleep or gone. A page cannot see pings, so that it needs heartbeats to notice the
 * same.
 */
export function keepAlive(
  socket: WebSocket,
  { hasHeartbeat, timeouts = defaultTimeouts }: { hasHeartbeat: boolean; timeouts?: LifeTimeouts },
): SocketLife {
  const { pingMs, silentMs, heartbeatMs } = timeouts;
  let receivedAtMs = performance.now();
  const noteReceived = (): void => void (receivedAtMs = performance.now());
  const pinging = setInterval(() => {
    if (performance.now() - receivedAtMs > silentMs) socket.terminate();
    else socket.ping();
  }, pingMs).unref();
  const beat = (): void => {
    if (socket.readyState === socket.OPEN) socket.send(heartbeat);
  };
  const beating = hasHeartbeat ? setInterval(beat, heartbeatMs).unref() : undefined;
  socket.on('pong', noteReceived);
  socket.once('close', () => {
    clearInterval(pinging);
    clearInterval(beating);
  });
  return { noteReceived, noteSent: () => void beating?.refresh() };
}

/** Closes the socket, and terminates it within a second. */
export function closeGently(socket: WebSocket, code: CloseCode): void {
  socket.close(code);
  // The page's close frame may wait behind its input.
  socket.resume();
  const timer = setTimeout(() => socket.terminate(), closeGraceMs).unref();
  socket.once('close', () => clearTimeout(timer));
}
