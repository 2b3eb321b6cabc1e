import { ApiError } from '@wcc/api';
import type { FileDigest } from '@wcc/copy';
import type { Snapshot } from '@wcc/progress';
import { join } from 'node:path';
import type { Action, OperationView, RetryRequest } from '../../operations/action.ts';
import type { WriteStatement } from '../../storage/store.ts';
import type { ImagesContext } from '../context.ts';
import { lookIntoQcow2, openSafely } from '../foreign/inspect.ts';
import { digestOf } from '../image-rows.ts';
import { startWork } from '../../operations/work.ts';
import type { Progress } from '../../operations/work.ts';
import { readDigest, assertDigest } from './digest.ts';
import type { VerifyInput } from './input.ts';

/** `verify_image`: reads all of an image for its digest, and looks at the tables of a qcow2 one. */
export function createVerifyAction(
  context: ImagesContext,
  retry: (input: VerifyInput, request: RetryRequest & { retryOf: string }) => Promise<Snapshot>,
): Action {
  const { pools } = context;
  const input = (operation: OperationView): VerifyInput => operation.input as VerifyInput;
  /** Of operations that have just read their image. */
  const digests = new Map<string, FileDigest>();
  const forget = (operation: OperationView): Promise<void> => {
    digests.delete(operation.id);
    return Promise.resolve();
  };
  return {
    name: 'verify_image',
    phases: (given) => ((given as VerifyInput).format === 'qcow2' ? ['read', 'check'] : ['read']),
    async start(operation, hooks) {
      const { poolId, sourceName } = input(operation);
      const path = join((await pools.use(poolId)).path, sourceName);
      const run = async (progress: Progress): Promise<object> => {
        digests.set(operation.id, await verify(path, input(operation), progress));
        return {};
      };
      return startWork(hooks, run, { sourcePath: path });
    },
    // Nothing stays on the disk: after a restart it is read anew.
    settle: () => Promise.resolve('nothing'),
    durable: () => Promise.resolve(null),
    complete(operation) {
      const { sourceId } = input(operation);
      const digest = digests.get(operation.id);
      const statements = digest === undefined ? [] : [noteDigest(context, sourceId, digest)];
      return Promise.resolve({ statements, result: { kind: 'image', id: sourceId }, target: null });
    },
    room: () => Promise.resolve({ needsBytes: 0, freeBytes: 0 }),
    clean: forget,
    forget,
    retry: (operation, request) => retry(input(operation), { ...request, retryOf: operation.id }),
  };
}

/** The digest counts for as long as the file stays as it was read. */
function noteDigest({ store }: ImagesContext, id: number, { sha256, file }: FileDigest): WriteStatement {
  const { inode, size, mtimeNs } = file;
  const state = digestOf({ inode, sizeBytes: Number(size), mtimeNs });
  return { query: store.db.updateTable('images').set({ sha256, digestOf: state }).where('id', '=', id) };
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
    await lookIntoQcow2(file, { signal });
  } finally {
    await file.close();
  }
}
