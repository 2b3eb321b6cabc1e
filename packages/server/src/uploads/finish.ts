import type { PartialFile } from '@wcc/copy/receive';
import { completeReceived } from '../images/foreign/complete-received.ts';
import { inspectForeign } from '../images/foreign/inspect.ts';
import type { OperationView } from '../operations/action.ts';
import type { Progress, WorkResult } from '../operations/work.ts';
import { scratchOf } from './context.ts';
import type { UploadsContext } from './context.ts';
import type { UploadInput } from './upload.ts';

export interface FinishOptions {
  operation: OperationView;
  directory: string;
  progress: Progress;
}

/** Checks and publishes an upload once all its bytes are durable. */
export async function finishUpload(
  context: UploadsContext,
  file: PartialFile,
  { operation, directory, progress }: FinishOptions,
): Promise<WorkResult> {
  const { id } = operation;
  const { poolId, targetName, sizeBytes, sha256, format } = operation.input as UploadInput;
  const { maxVirtualSizeBytes } = context.images;
  const scratch = scratchOf(context, id);
  const { digest } = scratch;
  const { warnings } = await completeReceived(file, {
    target: { directory, id, tag: poolId, targetName, sizeBytes },
    sha256,
    // After a restart the hash of the earlier bytes is lost.
    receivedSha256: digest?.atBytes === sizeBytes ? digest.hash.copy().digest('hex') : null,
    async inspect(path) {
      const { signal } = progress;
      const options = { believed: format ?? undefined, name: targetName, maxVirtualSizeBytes, signal };
      scratch.inspected = await inspectForeign(path, options);
    },
    limit: context.syncLimit,
    progress,
  });
  const bytes = { virtual: sizeBytes, data: sizeBytes, skipped: 0, shared: 0, written: sizeBytes };
  return {
    bytes,
    method: null,
    warnings: [...scratch.warnings, ...(scratch.inspected?.remarks ?? []), ...warnings],
    phases: [],
  };
}
