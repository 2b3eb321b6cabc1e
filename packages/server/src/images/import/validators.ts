import type { IncomingHttpHeaders } from 'node:http';
import type { ImagesContext } from '../context.ts';

/** Identifies one state of a remote file. */
export interface RemoteFile {
  /** For `If-Range`: a strong entity tag, else the modification time; null: the transfer cannot resume. */
  validator: string | null;
  /** Null: the other server did not send it. */
  totalBytes: number | null;
}

/** Two changes within this time may have the same modification time. */
const settledMs = 60_000;

/** RFC 9110, section 13.1.5: neither a weak tag nor an ambiguous modification time may be used for ranges. */
export function describeRemote(headers: IncomingHttpHeaders): RemoteFile {
  const { etag, 'last-modified': modified, 'content-length': length } = headers;
  const strong = etag?.startsWith('"') === true ? etag : null;
  const validator = strong ?? (isSettled(modified, headers.date) ? modified : undefined);
  return {
    validator: validator ?? null,
    totalBytes: length !== undefined && /^\d{1,15}$/.test(length) ? Number(length) : null,
  };
}

/** RFC 9110, section 8.8.2.2: both times come from the other server. */
function isSettled(modified: string | undefined, now: string | undefined): boolean {
  return modified !== undefined && now !== undefined && Date.parse(now) - Date.parse(modified) >= settledMs;
}

/**
 * Whether an answer proves the same state of the file. Servers that ignore `If-Range` would otherwise combine two
 * states, so a part without the validator of the whole counts as another state (RFC 9110, section 15.3.7).
 */
export function isStill({ validator, totalBytes }: RemoteFile, answer: PartialAnswer): boolean {
  const { etag, 'last-modified': modified } = answer.headers;
  const named = validator?.startsWith('"') === true ? etag : modified;
  const isSameLength = totalBytes === null || answer.totalBytes === null || totalBytes === answer.totalBytes;
  return validator !== null && named === validator && isSameLength;
}

/** Headers of a 206 or a 416. */
export interface PartialAnswer {
  headers: IncomingHttpHeaders;
  /** Null: missing, or `*`. */
  totalBytes: number | null;
}

/** Durable before the first byte, so that a restart never combines two files. */
export async function storeRemote(
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
