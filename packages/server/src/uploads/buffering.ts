import type { IncomingMessage } from 'node:http';
import { memoryOf } from './context.ts';
import type { UploadsContext } from './context.ts';

/** Less than this goes through in one piece anyway. */
const leastBytes = 4 * 1024 ** 2;
const leastSilenceMs = 3_000;
/** A client that sends as fast as this does not think three times as long before it begins. */
const silencePerSending = 3;
/** More than the sockets on the way can hold: bytes that come from farther away show how fast they are sent. */
const tellingBytes = 64 * 1024 ** 2;
const lookMs = 500;

/** Looks at how the bytes of one request come. */
export interface BufferingWatch {
  /** No more of them come. `isComplete`: all of them are here. */
  stop(isComplete: boolean): void;
}

export interface BufferingOptions {
  request: IncomingMessage;
  receivedBytes: () => number;
  /** A proxy keeps the bytes of this upload back; called as soon as that is sure, once for each upload. */
  onBuffering: (code: string) => void;
}

/** Puts a warning on an upload whose bytes a proxy keeps back. */
export function watchBuffering(
  context: UploadsContext,
  id: string,
  { request, receivedBytes, onBuffering }: BufferingOptions,
): BufferingWatch {
  const { clock } = context;
  const memory = memoryOf(context, id);
  const startedAtMs = clock.monotonicMs();
  const still = {
    silentMs: startedAtMs - memory.answeredAtMs,
    lengthBytes: Number(request.headers['content-length'] ?? 0),
    isProxied: isProxied(request),
  };
  const look = (): void => {
    const sendingMs = clock.monotonicMs() - startedAtMs;
    if (memory.warnings.has(warning) || !wasKeptBack({ ...still, sendingMs, receivedBytes: receivedBytes() }))
      return;
    memory.warnings.add(warning);
    onBuffering(warning);
  };
  const timer = setInterval(look, lookMs).unref();
  return {
    stop(isComplete) {
      clearInterval(timer);
      if (!isComplete) return;
      look();
      memory.answeredAtMs = clock.monotonicMs();
    },
  };
}

const warning = 'upload_buffered';

/** How the bytes of one request come. */
export interface Arrival {
  /** Between the last answer that the client got and the first byte. */
  silentMs: number;
  /** From the first byte until now. */
  sendingMs: number;
  receivedBytes: number;
  /** Of all of them. */
  lengthBytes: number;
  isProxied: boolean;
}

/**
 * A proxy that keeps a body until it has it all makes all progress a lie: nothing for a long time, then
 * everything at once. It is told by the silence before such a request, when a proxy shows in its headers: by its
 * end, or earlier when the rest would come as fast as what is here.
 */
export function wasKeptBack(arrival: Arrival): boolean {
  const { silentMs, sendingMs, receivedBytes, lengthBytes } = arrival;
  if (!arrival.isProxied || lengthBytes < leastBytes) return false;
  if (receivedBytes < Math.min(lengthBytes, tellingBytes)) return false;
  const allMs = sendingMs * (lengthBytes / receivedBytes);
  return silentMs > leastSilenceMs && silentMs > allMs * silencePerSending;
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
