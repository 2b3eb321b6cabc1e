import type { Socket } from 'node:net';

/** First TCP keep-alive probe after this time without traffic. */
const keepAliveMs = 15_000;

/**
 * Keeps a connection whose answer may be silent for hours. Without this the server closes an idle connection after a
 * minute. TCP keep-alive finds a client that is gone. @returns restores the timeout for the next request
 */
export function allowQuietAnswer(socket: Socket): () => void {
  const inactivityMs = socket.timeout ?? 0;
  socket.setTimeout(0);
  socket.setKeepAlive(true, keepAliveMs);
  return () => void socket.setTimeout(inactivityMs);
}
