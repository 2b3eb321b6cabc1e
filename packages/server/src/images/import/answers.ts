import { ApiError } from '@wcc/api';
import type { IncomingMessage } from 'node:http';
import { parseHttpDate } from './http-date.ts';
import { isStill } from './validators.ts';
import type { RemoteFile } from './validators.ts';

/** A refusal that passes, with the time after which the server wants to be asked again; null: it named none. */
export class TemporaryRefusal extends Error {
  override readonly name = 'TemporaryRefusal';
  readonly retryAfterMs: number | null;

  constructor(message: string, retryAfterMs: number | null) {
    super(message);
    this.retryAfterMs = retryAfterMs;
  }
}

const temporary: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);

/** Codings that change the bytes (the registry of RFC 9110). Any other label, such as `none`, leaves them alone. */
const packing: ReadonlySet<string> = new Set(
  'gzip x-gzip deflate br zstd compress x-compress dcb dcz exi pack200-gzip'.split(' '),
);

/** Whether an answer has bytes of the file. */
export function hasBytes({ statusCode }: IncomingMessage): boolean {
  return statusCode === 200 || statusCode === 206;
}

const signIn: ReadonlySet<number> = new Set([401, 403, 407]);

function hintFor(status: number): { hint?: string } {
  return status === 404 || status === 410 ? { hint: 'There is no such file: check the address.' } : {};
}

/** @throws ApiError `import_failed`, `import_sign_in`; TemporaryRefusal for a status that may pass */
export function assertUsableAnswer(answer: IncomingMessage): void {
  const { statusCode = 0, headers } = answer;
  if (temporary.has(statusCode)) {
    throw new TemporaryRefusal(`the server answered ${statusCode}`, retryAfterMs(headers));
  }
  const message = `The server answered ${statusCode}.`;
  if (signIn.has(statusCode)) throw new ApiError('import_sign_in', { message });
  if (!hasBytes(answer)) throw new ApiError('import_failed', { message, ...hintFor(statusCode) });
  const codings = (headers['content-encoding'] ?? '').split(',').map((each) => each.trim().toLowerCase());
  const packed = codings.find((each) => packing.has(each));
  if (packed === undefined) return;
  throw new ApiError('import_failed', {
    message: `The server sends the file compressed (${packed}), although the request does not allow that.`,
    hint: 'Download and unpack it (curl --compressed), then upload it.',
  });
}

/** `Retry-After`: seconds, or a date by the clock of the other server. Null: missing, or neither. */
function retryAfterMs({ 'retry-after': text, date }: IncomingMessage['headers']): number | null {
  if (text !== undefined && /^\d{1,9}$/.test(text.trim())) return Number(text) * 1000;
  const atMs = parseHttpDate(text);
  return atMs === null ? null : Math.max(0, atMs - (parseHttpDate(date) ?? Date.now()));
}

/**
 * Compares a 206 with the bytes that were requested.
 * @returns the reason why its bytes do not belong to the file, or the file with its length
 */
export function checkRange(
  { headers }: IncomingMessage,
  { remote, offsetBytes }: { remote: RemoteFile | null; offsetBytes: number },
): RemoteFile | string {
  // Nothing to continue was named.
  if (remote === null) return 'the server sent a part instead of the file';
  const [, first, last, total] =
    /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/i.exec(headers['content-range'] ?? '') ?? [];
  const reported = total === undefined || total === '*' ? null : Number(total);
  if (!isStill(remote, { headers, totalBytes: reported })) return 'the file changed';
  const totalBytes = reported ?? remote.totalBytes;
  const length = headers['content-length'];
  const hasOwnLength = length === undefined || Number(length) === Number(last) - Number(first) + 1;
  const continues = Number(first) === offsetBytes && Number(last) >= offsetBytes && hasOwnLength;
  // Without a total length, the end of a part is not the end of the file.
  if (!continues || totalBytes === null || totalBytes <= offsetBytes) return 'the server sent another part';
  return { ...remote, totalBytes };
}

/** Whether the end of a body proves that it is complete. A connection that is closed ends every other body. */
export function isEndProven({ headers }: IncomingMessage): boolean {
  const isChunked = /\bchunked\b/i.test(headers['transfer-encoding'] ?? '');
  return isChunked || headers['content-length'] !== undefined;
}
