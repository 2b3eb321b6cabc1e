import type { IncomingHttpHeaders } from 'node:http';
import type { ImagesContext } from '../context.ts';

/** What tells one state of a remote file from another. */
export interface RemoteFile {
  /** For `If-Range`: a strong entity tag, else the time of change; null: it cannot be gone on with. */
  validator: string | null;
  /** Null: the other server does not say. */
  totalBytes: number | null;
}

/** RFC 9110, section 13.1.5: a weak tag must not be used for ranges. */
export function describeRemote(headers: IncomingHttpHeaders): RemoteFile {
  const { etag, 'last-modified': modified, 'content-length': length } = headers;
  const strong = etag?.startsWith('"') === true ? etag : null;
  return {
    validator: strong ?? modified ?? null,
    totalBytes: length !== undefined && /^\d{1,15}$/.test(length) ? Number(length) : null,
  };
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
