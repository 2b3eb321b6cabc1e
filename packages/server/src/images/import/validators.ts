import type { IncomingHttpHeaders } from 'node:http';
import type { ImagesContext } from '../context.ts';

/** What tells one state of a remote file from another. */
export interface RemoteFile {
  /** For `If-Range`: a strong entity tag, else the time of change; null: it cannot be gone on with. */
  validator: string | null;
  /** Null: the other server does not say. */
  totalBytes: number | null;
}

/** A file that changed twice in so short a time may bear the same time of change. */
const settledMs = 60_000;

/** RFC 9110, section 13.1.5: a weak tag must not be used for ranges, nor a time of change that may be repeated. */
export function describeRemote(headers: IncomingHttpHeaders): RemoteFile {
  const { etag, 'last-modified': modified, 'content-length': length } = headers;
  const strong = etag?.startsWith('"') === true ? etag : null;
  const validator = strong ?? (isSettled(modified, headers.date) ? modified : undefined);
  return {
    validator: validator ?? null,
    totalBytes: length !== undefined && /^\d{1,15}$/.test(length) ? Number(length) : null,
  };
}

/** RFC 9110, section 8.8.2.2: both times are the other server's. */
function isSettled(modified: string | undefined, now: string | undefined): boolean {
  return modified !== undefined && now !== undefined && Date.parse(now) - Date.parse(modified) >= settledMs;
}

/**
 * Whether an answer is of the same state of the file: a server that knows ranges and not `If-Range` would
 * else have two states glued together. What it does not say does not count against it.
 */
export function isStill({ validator, totalBytes }: RemoteFile, answer: PartialAnswer): boolean {
  const { etag, 'last-modified': modified } = answer.headers;
  const named = validator?.startsWith('"') === true ? etag : modified;
  const isSameState = named === undefined || validator === null || named === validator;
  const isSameLength = totalBytes === null || answer.totalBytes === null || totalBytes === answer.totalBytes;
  return isSameState && isSameLength;
}

/** What a 206 or a 416 says of the file. */
export interface PartialAnswer {
  headers: IncomingHttpHeaders;
  /** Null: it does not say, or `*`. */
  totalBytes: number | null;
}

/** Durable before the first byte: a restart must not glue two files together. */
export async function noteRemote(
  { store }: ImagesContext,
  operationId: string,
  file: RemoteFile,
): Promise<void> {
  const values = { operationId, ...file };
  const query = store.db
    .insertInto('imports')
    .values(values)
    .onConflict((conflict) => conflict.column('operationId').doUpdateSet(file));
  await store.write([{ query }]);
}

export async function readRemote({ store }: ImagesContext, operationId: string): Promise<RemoteFile | null> {
  const row = await store.db
    .selectFrom('imports')
    .select(['validator', 'totalBytes'])
    .where('operationId', '=', operationId)
    .executeTakeFirst();
  return row ?? null;
}
