import type { IncomingMessage } from 'node:http';
import { memoryOf, type UploadsContext } from './context.ts';

/** Less than this goes through in one piece anyway. */
const leastBytes = 4 * 1024 ** 2;
const leastSilenceMs = 3_000;
/** A client that sends as fast as this does not think three times as long before it begins. */
const silencePerSending = 3;

/** Puts a warning on an upload whose bytes a proxy kept back. Called when all bytes of a request are taken. */
export function noteBuffering(
  context: UploadsContext,
  id: string,
  { request, startedAtMs }: { request: IncomingMessage; startedAtMs: number },
): void {
  const memory = memoryOf(context, id);
  const nowMs = context.clock.monotonicMs();
  const arrival: Arrival = {
    silentMs: startedAtMs - memory.answeredAtMs,
    sendingMs: nowMs - startedAtMs,
    lengthBytes: Number(request.headers['content-length'] ?? 0),
    isProxied: isProxied(request),
  };
  memory.answeredAtMs = nowMs;
  if (wasKeptBack(arrival)) memory.warnings.add('upload_buffered');
}

/** How the bytes of one request came. */
export interface Arrival {
  /** Between the last answer that the client got and the first byte. */
  silentMs: number;
  /** From the first byte to the last. */
  sendingMs: number;
  lengthBytes: number;
  isProxied: boolean;
}

/**
 * A proxy that keeps a body until it has it all makes all progress a lie: nothing for a long time, then
 * everything at once. It is told by the silence before such a request, when a proxy shows in its headers.
 */
export function wasKeptBack({ silentMs, sendingMs, lengthBytes, isProxied: hasProxy }: Arrival): boolean {
  const isSudden = silentMs > leastSilenceMs && silentMs > sendingMs * silencePerSending;
  return hasProxy && isSudden && lengthBytes >= leastBytes;
}

/** nginx speaks HTTP/1.0 to what is behind it, unless told otherwise; others name themselves. */
export function isProxied({
  httpVersion,
  headers,
}: Pick<IncomingMessage, 'httpVersion' | 'headers'>): boolean {
  const named = ['via', 'forwarded', 'x-forwarded-for', 'x-real-ip'].some(
    (name) => headers[name] !== undefined,
  );
  return named || httpVersion === '1.0';
}
