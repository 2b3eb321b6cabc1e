import { errorRegistry } from '@wcc/api';
import type { ErrorCode } from '@wcc/api';
import { removeRemains } from '@wcc/copy';
import type { Snapshot } from '@wcc/progress';
import { join } from 'node:path';
import type {
  Action,
  OperationInput,
  OperationView,
  RetryRequest,
  StartHooks,
  Work,
} from '../../operations/action.ts';
import { WorkFailure } from '../../operations/action.ts';
import type { ImagesContext } from '../context.ts';
import { toWorkFailure } from '../../operations/failure.ts';
import { registerImage } from '../register-image.ts';
import { measureRoom, partialPath } from '../free-space.ts';
import { lookAt } from '../scan/stat-entry.ts';
import { writeSample } from './write.ts';
import type { SampleProgress } from './write.ts';

export interface SampleInput extends OperationInput {
  targetId: number;
  targetName: string;
  sizeBytes: number;
  ownerId: string;
}

/** `make_sample_image`: something to copy for whoever has no image yet. After a restart it begins anew. */
export function createSampleAction(
  context: ImagesContext,
  retry: (input: SampleInput, request: RetryRequest & { retryOf: string }) => Promise<Snapshot>,
): Action {
  const input = (operation: OperationView): SampleInput => operation.input as SampleInput;
  const directory = async (operation: OperationView): Promise<string> =>
    (await context.pools.use(operation.input.poolId)).path;
  return {
    name: 'make_sample_image',
    phases: () => ['write', 'flush', 'publish'],
    start: (operation, hooks) => start(context, operation, hooks),
    settle: async (operation) =>
      settle(await directory(operation), operation.id, input(operation).targetName),
    durable: () => Promise.resolve(null),
    async complete(operation) {
      const { targetId, targetName, poolId, sizeBytes, ownerId } = input(operation);
      return registerImage(context.store, {
        id: targetId,
        poolId,
        directory: context.pools.find(poolId).path,
        name: targetName,
        format: 'raw',
        virtualSizeBytes: sizeBytes,
        ownerId,
        copiedFrom: null,
        dataBytes: sizeBytes,
      });
    },
    async room(operation) {
      const pool = await context.pools.use(operation.input.poolId);
      const { freeBytes } = await measureRoom(context, pool, operation.id);
      return { needsBytes: input(operation).sizeBytes, freeBytes };
    },
    clean: async (operation) => void (await removeRemains(await directory(operation), operation.id)),
    forget: async (operation) => void (await removeRemains(await directory(operation), operation.id)),
    retry: (operation, request) => retry(input(operation), { ...request, retryOf: operation.id }),
  };
}

/** The same file under both names: it was published, and only the end is missing. */
async function settle(directory: string, id: string, targetName: string): Promise<'published' | 'nothing'> {
  const partial = await lookAt(partialPath(directory, id), '');
  const target = await lookAt(join(directory, targetName), '');
  return partial !== null && partial.inode === target?.inode ? 'published' : 'nothing';
}

async function start(context: ImagesContext, operation: OperationView, hooks: StartHooks): Promise<Work> {
  const { poolId, targetName, sizeBytes } = operation.input as SampleInput;
  const pool = await context.pools.use(poolId).catch((error: unknown) => {
    throw toWorkFailure(error, '');
  });
  const ending = new AbortController();
  const nowMs = performance.now();
  const progress: SampleProgress = {
    phase: 'write',
    doneBytes: 0,
    movedAtMs: nowMs,
    phaseStartedAtMs: nowMs,
  };
  const work = writeSample(
    {
      directory: pool.path,
      partialPath: partialPath(pool.path, operation.id),
      targetPath: join(pool.path, targetName),
      sizeBytes,
    },
    {
      signal: ending.signal,
      progress,
      onPhase: (phase) =>
        hooks.onPhase(
          phase === 'write' ? { phase, unit: 'bytes', total: sizeBytes } : { phase, unit: null, total: null },
        ),
    },
  );
  return toWork(work, { progress, ending, sizeBytes });
}

function toWork(
  work: Promise<void>,
  { progress, ending, sizeBytes }: { progress: SampleProgress; ending: AbortController; sizeBytes: number },
): Work {
  const bytes = { virtual: sizeBytes, data: sizeBytes, skipped: 0, shared: 0, written: sizeBytes };
  return {
    done: work.then(
      () => ({ bytes, method: 'read-write' as const, warnings: [], phases: [] }),
      (error: unknown) => {
        throw failureOf(error, ending.signal);
      },
    ),
    progress: () => ({
      phase: progress.phase,
      done: progress.phase === 'write' ? progress.doneBytes : 0,
      // A sample begins anew after a crash: nothing of it is durable before its end.
      durable: 0,
      total: progress.phase === 'write' ? sizeBytes : null,
      bytes: { ...bytes, written: progress.doneBytes },
      sinceProgressMs: performance.now() - progress.movedAtMs,
      phaseElapsedMs: performance.now() - progress.phaseStartedAtMs,
    }),
    cancel: () => ending.abort('cancelled'),
    interrupt: () => ending.abort('interrupted'),
    // Never called: the action does not set `canPause`.
    pause: () => {},
    resume: () => {},
  };
}

const codesByErrno: Readonly<Record<string, ErrorCode>> = {
  ENOSPC: 'no_space',
  EDQUOT: 'quota',
  EEXIST: 'exists',
  EACCES: 'permission',
  EPERM: 'permission',
  EROFS: 'read_only',
  EFBIG: 'too_large',
  EIO: 'io_error',
};

function failureOf(error: unknown, signal: AbortSignal): unknown {
  const errno = error instanceof Error && 'code' in error ? String(error.code) : '';
  const code = codesByErrno[errno] ?? 'internal';
  const { message, hint } = errorRegistry[code];
  const told = { code, message, hint, detail: null };
  if (signal.aborted) {
    const why = signal.reason === 'interrupted' ? 'interrupted' : 'cancelled';
    return new WorkFailure(why, { error: told, cause: error });
  }
  return code === 'internal' ? error : new WorkFailure('failed', { error: told, cause: error });
}
