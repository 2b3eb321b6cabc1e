import { ApiError } from '@wcc/api';
import { hashFile } from '@wcc/copy';
import type { Progress } from '../../operations/work.ts';

/** The digest of a file, and the identity that the file had. */
export type FileDigest = Awaited<ReturnType<typeof hashFile>>;

/** Computes the digest of a file, and advances the current phase. Stops when the signal aborts. */
export async function readDigest(path: string, progress: Progress): Promise<FileDigest> {
  return await hashFile(path, {
    signal: progress.signal,
    onProgress: ({ doneBytes }) => progress.advance(doneBytes),
  });
}

/** @throws ApiError `digest_mismatch`, with both digests */
export function assertDigest({ sha256 }: Pick<FileDigest, 'sha256'>, wanted: string | null): void {
  if (wanted === null || wanted === sha256) return;
  const message = `The SHA-256 is ${sha256}, not ${wanted}.`;
  throw new ApiError('digest_mismatch', {
    message,
    hint: 'Check that the expected digest belongs to this image.',
  });
}
