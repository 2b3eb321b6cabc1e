import { ApiError } from '@wcc/api';
import { partialPath, publish as publishPartial } from '@wcc/copy/receive';
import type { Limit, PartialFile, ReceiveTarget } from '@wcc/copy/receive';
import { imageMode } from '../../files/modes.ts';
import type { Progress } from '../../operations/work.ts';
import { assertDigest, readDigest } from '../verify/digest.ts';

export interface CompleteOptions {
  /** The target with the final length. */
  target: ReceiveTarget;
  /** Expected SHA-256; null: the client gave none. */
  sha256: string | null;
  /** SHA-256 computed while the bytes arrived; null: the file is read. @default null */
  receivedSha256?: string | null;
  /** Checks the content of the complete partial. Rejects to refuse it. */
  inspect: (path: string) => Promise<void>;
  /** Limits concurrent syncs and publications, which take a thread each. @default runs them at once */
  limit?: Limit;
  progress: Progress;
}

/**
 * Turns a completely received partial into a published file: flush, digest, inspection, rename. A file that is
 * refused by a step is never published. Closes the file.
 *
 * @throws ApiError `io_error`, `digest_mismatch`, or the reason why it is refused
 */
export async function completeReceived(
  file: PartialFile,
  options: CompleteOptions,
): Promise<{ warnings: string[] }> {
  const { target, sha256, receivedSha256 = null, inspect, progress } = options;
  const { limit = (work) => work() } = options;
  const { signal } = progress;
  progress.startPhase('flush');
  await file.handle.chmod(imageMode);
  await limit(() => file.handle.sync());
  await assertLength(file, target.sizeBytes);
  // Closes the file first, because the inspection looks for programs that write to it.
  await file.close();
  signal.throwIfAborted();
  const path = partialPath(target.directory, target.id);
  const mustRead = sha256 !== null && receivedSha256 === null;
  progress.startPhase('inspect', mustRead ? { unit: 'bytes', total: target.sizeBytes } : {});
  if (mustRead) assertDigest(await readDigest(path, progress), sha256);
  else if (receivedSha256 !== null) assertDigest({ sha256: receivedSha256 }, sha256);
  await inspect(path);
  signal.throwIfAborted();
  progress.startPhase('publish');
  return limit(() => publishPartial(target));
}

async function assertLength({ handle }: PartialFile, sizeBytes: number): Promise<void> {
  const { size } = await handle.stat();
  if (size === sizeBytes) return;
  throw new ApiError('io_error', { message: `The file has ${size} bytes instead of ${sizeBytes}.` });
}
