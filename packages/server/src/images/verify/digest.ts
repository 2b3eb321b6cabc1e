import { ApiError } from '@wcc/api';
import { digestFile } from '@wcc/copy';
import type { FileDigest } from '@wcc/copy';
import type { Progress } from '../../operations/work.ts';

const pollMs = 100;

/** Computes the digest of a file, and advances the current phase. Stops when the signal aborts. */
export async function readDigest(path: string, progress: Progress): Promise<FileDigest> {
  const { signal } = progress;
  const job = digestFile(path);
  const timer = setInterval(() => progress.advance(job.progress().doneBytes), pollMs);
  const stop = (): void => job.cancel();
  signal.addEventListener('abort', stop);
  try {
    const found = await job.done;
    progress.advance(Number(found.file.size));
    return found;
  } finally {
    clearInterval(timer);
    signal.removeEventListener('abort', stop);
  }
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
