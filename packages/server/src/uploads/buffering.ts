import type { IncomingMessage } from 'node:http';
import type { UploadMemory } from './context.ts';

/** Less than this goes through in one piece anyway. */
const leastBytes = 4 * 1024 ** 2;
const leastSilenceMs = 3_000;
/** A client that sends as fast as this does not think three times as long before it begins. */
const silencePerSending = 3;

/**
 * A proxy that keeps a body until it has it all makes all progress a lie: nothing for a long time, then
 * everything at once. It is told by the silence before such a request, when a proxy shows in its headers.
 */
export function noteBuffering(
  memory: UploadMemory,
  { request, startedAtMs }: { request: IncomingMessage; startedAtMs: number },
): void {
  const nowMs = performance.now();
  const silentMs = startedAtMs - memory.answeredAtMs;
  const sendingMs = nowMs - startedAtMs;
  memory.answeredAtMs = nowMs;
  const lengthBytes = Number(request.headers['content-length'] ?? 0);
  const isSudden = silentMs > leastSilenceMs && silentMs > sendingMs * silencePerSending;
  if (isSudden && lengthBytes >= leastBytes && isProxied(request)) memory.warnings.add('upload_buffered');
}

/** nginx speaks HTTP/1.0 to what is behind it, unless told otherwise; others name themselves. */
function isProxied({ httpVersion, headers }: IncomingMessage): boolean {
  const named = ['via', 'forwarded', 'x-forwarded-for', 'x-real-ip'].some(
    (name) => headers[name] !== undefined,
  );
  return named || httpVersion === '1.0';
}
