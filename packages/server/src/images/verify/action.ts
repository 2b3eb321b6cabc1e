import { ApiError } from '@wcc/api';
import type { ImageId } from '@wcc/api';
import { join } from 'node:path';
import type { Action, OperationView } from '../../operations/action.ts';
import type { Progress } from '../../operations/work.ts';
import { startWork } from '../../operations/work.ts';
import type { WriteStatement } from '../../storage/store.ts';
import type { ImagesContext } from '../context.ts';
import { inspectQcow2, openSafely } from '../foreign/inspect.ts';
import { proveBase } from '../base-file.ts';
import { digestOf } from '../image-rows.ts';
import { assertDigest, readDigest } from './digest.ts';
import type { FileDigest } from './digest.ts';
import { verifyAction } from './input.ts';
import type { VerifyInput } from './input.ts';
import { requestVerification } from './request.ts';

/** `verify_image`: computes the digest of a whole image, and checks the tables of a qcow2 image. */
export function createVerifyAction(context: ImagesContext): Action<VerifyInput> {
  /** By operation, until its end. After a restart the image is read again. */
  const digests = new Map<string, FileDigest>();
  const release = async ({ id }: OperationView): Promise<void> => void digests.delete(id);
  return {
    name: verifyAction,
    phases: ({ format }) => (format === 'qcow2' ? ['read', 'check'] : ['read']),
    async start({ id, input }, hooks) {
      const path = join((await context.pools.use(input.poolId)).path, input.sourceName);
      const run = async (progress: Progress): Promise<object> => {
        digests.set(id, await verify(path, input, progress));
        return {};
      };
      return startWork(hooks, run, { sourcePath: path });
    },
    async complete({ id, input: { sourceId } }) {
      const digest = digests.get(id);
      const statements = digest === undefined ? [] : storeDigest(context, sourceId, digest);
      return { statements, result: { kind: 'image', id: sourceId }, target: null };
    },
    cleanUp: release,
    discardCheckpoint: release,
    retry: ({ input }, request) => requestVerification(context, { ...request, request: input.request }),
  };
}

/** The digest is valid while the file stays as it was read. */
function storeDigest({ store }: ImagesContext, id: ImageId, { sha256, file }: FileDigest): WriteStatement[] {
  const state = digestOf(file);
  const query = store.db.updateTable('images').set({ sha256, digestOf: state }).where('id', '=', id);
  return [{ query }, ...(state === null ? [] : [proveBase(store, id, { file: state, sha256 })])];
}

async function verify(path: string, input: VerifyInput, progress: Progress): Promise<FileDigest> {
  progress.startPhase('read', { unit: 'bytes', total: input.sizeBytes });
  const found = await readDigest(path, progress);
  if (found.file.inode !== input.sourceInode) throw new ApiError('source_changed');
  const { sizeBytes } = input;
  const data = sizeBytes - found.skippedBytes;
  progress.setBytes({ virtual: sizeBytes, data, skipped: found.skippedBytes, shared: 0, written: 0 });
  assertDigest(found, input.sha256);
  if (input.format === 'qcow2') {
    progress.startPhase('check');
    await assertQcow2(path, progress.signal);
  }
  return found;
}

async function assertQcow2(path: string, signal: AbortSignal): Promise<void> {
  const file = await openSafely(path);
  try {
    await inspectQcow2(file, { signal });
  } finally {
    await file.close();
  }
}
