import type { IncomingMessage } from 'node:http';
import { scratchOf } from './context.ts';
import type { UploadsContext } from './context.ts';

/** The watch never reports smaller requests, because their bytes arrive at once anyway. */
const minBytes = 4 * 1024 ** 2;
const minSilenceMs = 3_000;
/**
 * Ratio of the silence before a request to its duration. Few clients wait three times as long as they send.
 */
const minSilenceRatio = 3;
/** More bytes than sockets can buffer: beyond it, the arrival shows how fast the client sends. */
const socketBufferBytes = 64 * 1024 ** 2;
const checkMs = 500;

/** Watches how the bytes of one request arrive. */
export interface BufferingWatch {
  /** The request has ended. `isComplete`: all bytes have arrived. */
  stop(isComplete: boolean): void;
}

export interface BufferingOptions {
  request: IncomingMessage;
  receivedBytes: () => number;
  /** Called once per upload, as soon as it is certain that a proxy buffers its bytes. */
  onBuffering: (code: string) => void;
}

/** Reports a warning for an upload when a proxy buffers its bytes. */
export function watchBuffering(
  context: UploadsContext,
  id: string,
  { request, receivedBytes, onBuffering }: BufferingOptions,
): BufferingWatch {
  const { clock } = context;
  const scratch = scratchOf(context, id);
  const startedAtMs = clock.monotonicMs();
  const fixed = {
    silentMs: startedAtMs - scratch.answeredAtMs,
    lengthBytes: Number(request.headers['content-length'] ?? 0),
    isProxied: isProxied(request),
  };
  const check = (): void => {
    const sendingMs = clock.monotonicMs() - startedAtMs;
    if (
      scratch.warnings.has(warning) ||
      !wasBuffered({ ...fixed, sendingMs, receivedBytes: receivedBytes() })
    )
      return;
    scratch.warnings.add(warning);
    onBuffering(warning);
  };
  const timer = setInterval(check, checkMs).unref();
  return {
    stop(isComplete) {
      clearInterval(timer);
      if (!isComplete) return;
      check();
      scratch.answeredAtMs = clock.monotonicMs();
    },
  };
}

const warning = 'upload_buffered';

/** How the bytes of one request arrive. */
export interface Arrival {
  /** Time between the last answer to the client and the first byte. */
  silentMs: number;
  /** Time since the first byte. */
  sendingMs: number;
  receivedBytes: number;
  /** Length of the whole request. */
  lengthBytes: number;
  isProxied: boolean;
}

/**
 * Whether a proxy has collected the body before it forwarded it. Then progress is wrong: no byte for a long
 * time, then all of them at once. The signs are a long silence before a fast request, and headers of a proxy.
 * The result can be certain before the end, if the rest would arrive as fast as the bytes so far.
 */
export function wasBuffered(arrival: Arrival): boolean {
  const { silentMs, sendingMs, receivedBytes, lengthBytes } = arrival;
  if (!arrival.isProxied || lengthBytes < minBytes) return false;
  if (receivedBytes < Math.min(lengthBytes, socketBufferBytes)) return false;
  const allMs = sendingMs * (lengthBytes / receivedBytes);
  return silentMs > minSilenceMs && silentMs > allMs * minSilenceRatio;
}

/** nginx uses HTTP/1.0 to its backend by default; other proxies add a header. */
export function isProxied({
  httpVersion,
  headers,
}: Pick<IncomingMessage, 'httpVersion' | 'headers'>): boolean {
  const named = ['via', 'forwarded', 'x-forwarded-for', 'x-real-ip'].some(
    (name) => headers[name] !== undefined,
  );
  return named || httpVersion === '1.0';
}
