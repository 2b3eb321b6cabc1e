import { ApiError } from '@wcc/api';
import { removeRemains } from '@wcc/copy';
import type { Snapshot } from '@wcc/progress';
import type { ChildProcess } from 'node:child_process';
import { unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { Action, OperationView, RetryRequest } from '../../operations/action.ts';
import type { StartHooks, Work } from '../../operations/work.ts';
import type { ImagesContext } from '../context.ts';
import { lookIntoQcow2, openSafely } from '../foreign/inspect.ts';
import { registerImage } from '../register-image.ts';
import { createPartial, publishPartial, wasPublished } from '../publish.ts';
import { measureRoom, partialPath, readReservation } from '../free-space.ts';
import { startWork } from '../../operations/work.ts';
import type { Progress } from '../../operations/work.ts';
import type { ConvertInput } from './input.ts';
import { runConversion } from './run.ts';

/** `convert_image`: by qemu-img, which cannot go on where it stopped: after a restart it begins anew. */
export function createConvertAction(
  context: ImagesContext,
  retry: (input: ConvertInput, request: RetryRequest & { retryOf: string }) => Promise<Snapshot>,
): Action {
  const input = (operation: OperationView): ConvertInput => operation.input as ConvertInput;
  const directory = async (operation: OperationView): Promise<string> =>
    (await context.pools.use(operation.input.poolId)).path;
  const remove = async (operation: OperationView): Promise<void> =>
    void (await removeRemains(await directory(operation), operation.id));
  return {
    name: 'convert_image',
    canPause: true,
    phases: () => ['inspect', 'convert', 'flush', 'publish'],
    start: (operation, hooks) => start(context, operation, hooks),
    async settle(operation) {
      const { targetName } = input(operation);
      const where = { directory: await directory(operation), id: operation.id, targetName };
      return (await wasPublished(where)) ? 'published' : 'nothing';
    },
    durable: () => Promise.resolve(null),
    async complete(operation) {
      const { targetId, targetName, poolId, format, virtualSizeBytes, ownerId, sourceId } = input(operation);
      const made = { id: targetId, poolId, name: targetName, format, virtualSizeBytes, ownerId };
      const { path } = context.pools.find(poolId);
      return registerImage(context.store, {
        ...made,
        directory: path,
        copiedFrom: sourceId,
        dataBytes: null,
      });
    },
    async room(operation) {
      const pool = await context.pools.use(operation.input.poolId);
      const own = await readReservation(context.store, pool, operation.id);
      const { freeBytes } = await measureRoom(context, pool, operation.id);
      return { needsBytes: own?.reservedBytes ?? 0, freeBytes };
    },
    clean: remove,
    forget: remove,
    retry: (operation, request) => retry(input(operation), { ...request, retryOf: operation.id }),
  };
}

async function start(context: ImagesContext, operation: OperationView, hooks: StartHooks): Promise<Work> {
  const input = operation.input as ConvertInput;
  const { path: directory } = await context.pools.use(input.poolId);
  const sourcePath = join((await context.pools.use(input.sourcePoolId)).path, input.sourceName);
  let child: ChildProcess | null = null;
  let isPaused = false;
  const obey = (): void => void child?.kill(isPaused ? 'SIGSTOP' : 'SIGCONT');
  const onStart = (started: ChildProcess): void => {
    child = started;
    if (isPaused) obey();
  };
  const job = { input, directory, id: operation.id, sourcePath, onStart };
  return startWork(hooks, (progress) => convert(job, progress), {
    sourcePath,
    poolPath: directory,
    pause: () => {
      isPaused = true;
      obey();
    },
    resume: () => {
      isPaused = false;
      obey();
    },
  });
}

interface Job {
  input: ConvertInput;
  directory: string;
  id: string;
  sourcePath: string;
  onStart: (child: ChildProcess) => void;
}

async function convert(job: Job, progress: Progress): Promise<object> {
  progress.startPhase('inspect');
  const source = await openSafely(job.sourcePath);
  try {
    const before = await readIdentity(source);
    const { input, directory, id } = job;
    if (before.inode !== input.sourceInode) throw new ApiError('source_changed');
    if (input.sourceFormat === 'qcow2') await lookIntoQcow2(source, { signal: progress.signal });
    const target = await createPartial(directory, id);
    try {
      await write(job, { source, target, progress });
      if ((await readIdentity(source)).state !== before.state) throw new ApiError('source_changed');
      progress.startPhase('flush');
      await target.sync();
      await assertTarget(target, input, progress.signal);
      progress.signal.throwIfAborted();
      progress.startPhase('publish');
      await publishPartial(target, { directory, id, targetName: input.targetName });
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
  return { method: 'read-write' };
}

async function write(
  { input, directory, id, onStart }: Job,
  { source, target, progress }: { source: FileHandle; target: FileHandle; progress: Progress },
): Promise<void> {
  const { dataBytes, virtualSizeBytes } = input;
  const tell = (done: number): void => {
    progress.advance(done);
    const skipped = virtualSizeBytes - dataBytes;
    progress.setBytes({ virtual: virtualSizeBytes, data: dataBytes, skipped, shared: 0, written: done });
  };
  progress.startPhase('convert', { unit: 'bytes', total: dataBytes, method: 'read-write' });
  try {
    await runConversion({ source, target, input, signal: progress.signal, onDone: tell, onStart });
  } catch (error) {
    // It begins anew: what is there would only take the room that it waits for.
    if (error instanceof ApiError) await unlink(partialPath(directory, id)).catch(() => {});
    throw error;
  }
  tell(dataBytes);
}

/** A program that was stopped half-way leaves a file that looks whole: only its own "done" counts; this is the proof. */
async function assertTarget(target: FileHandle, input: ConvertInput, signal: AbortSignal): Promise<void> {
  const found =
    input.format === 'raw'
      ? { virtualSizeBytes: (await target.stat()).size }
      : await lookIntoQcow2(target, { signal });
  if (found.virtualSizeBytes === input.virtualSizeBytes) return;
  throw new ApiError('io_error', { message: 'The new image has another virtual size than its source.' });
}

async function readIdentity(file: FileHandle): Promise<{ inode: string; state: string }> {
  const { ino, size, mtimeNs } = await file.stat({ bigint: true });
  return { inode: String(ino), state: `${ino}:${size}:${mtimeNs}` };
}
