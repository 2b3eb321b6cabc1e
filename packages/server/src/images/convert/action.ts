import { ApiError } from '@wcc/api';
import type { FileIdentity } from '@wcc/copy';
import { partialPath } from '@wcc/copy/receive';
import { compareIdentity, identityOf } from '@wcc/copy/recovery';
import type { ChildProcess } from 'node:child_process';
import { unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { Action, OperationView } from '../../operations/action.ts';
import type { Progress, Work } from '../../operations/work.ts';
import { startWork } from '../../operations/work.ts';
import type { ImagesContext } from '../context.ts';
import { inspectQcow2, openSafely } from '../foreign/inspect.ts';
import { publishingAction } from '../publish/publishing-action.ts';
import type { StartOptions } from '../publish/publishing-action.ts';
import { createPartial, publishPartial } from '../publish/linked-partial.ts';
import { convertAction } from './input.ts';
import type { ConvertInput } from './input.ts';
import { requestConversion } from './request.ts';
import { runConversion } from './run.ts';

/** `convert_image`, by qemu-img. That cannot resume: a conversion starts from zero after a restart. */
export function createConvertAction(context: ImagesContext): Action<ConvertInput> {
  return publishingAction<ConvertInput>(context, {
    name: convertAction,
    canPause: true,
    phases: () => ['inspect', 'convert', 'flush', 'publish'],
    start: (operation, options) => start(context, operation, options),
    complete: ({ input: { format, virtualSizeBytes, sourceId } }) => ({
      format,
      virtualSizeBytes,
      copiedFrom: sourceId,
      // Another format is other content.
      remarks: [],
      // The content of a raw disk is what its guest wrote.
      declared: format,
      dataBytes: null,
    }),
    retry: ({ input }, request) => requestConversion(context, { ...request, request: input.request }),
  });
}

async function start(
  context: ImagesContext,
  { id, input }: OperationView<ConvertInput>,
  { directory, hooks }: StartOptions,
): Promise<Work> {
  const sourcePath = join((await context.pools.use(input.sourcePoolId)).path, input.sourceName);
  let child: ChildProcess | null = null;
  let isPaused = false;
  const signalChild = (): void => void child?.kill(isPaused ? 'SIGSTOP' : 'SIGCONT');
  const onStart = (started: ChildProcess): void => {
    child = started;
    if (isPaused) signalChild();
  };
  const setPaused = (paused: boolean): void => {
    isPaused = paused;
    signalChild();
  };
  const job = { input, directory, id, sourcePath, onStart };
  return startWork(hooks, (progress) => convert(job, progress), {
    sourcePath,
    poolPath: directory,
    pause: () => setPaused(true),
    resume: () => setPaused(false),
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
    const snapshots =
      input.sourceFormat === 'qcow2'
        ? (await inspectQcow2(source, { signal: progress.signal })).snapshots
        : 0;
    const target = await createPartial(directory, id);
    try {
      await convertUnchanged(job, { source, target, progress, before });
      progress.startPhase('flush');
      const ends = [target.sync(), assertTarget(target, input, progress.signal)];
      // Both end before the file is closed, also when one fails.
      await Promise.allSettled(ends);
      await Promise.all(ends);
      progress.signal.throwIfAborted();
      progress.startPhase('publish');
      await publishPartial(target, { directory, id, targetName: input.targetName });
    } finally {
      await target.close();
    }
    return { method: 'read-write', warnings: snapshots > 0 ? ['snapshots_left_out'] : [] };
  } finally {
    await source.close();
  }
}

interface Files {
  source: FileHandle;
  target: FileHandle;
  progress: Progress;
}

/** A source whose change time moves again and again is being written to. */
const maxConversions = 3;
const againNote = 'The source may have changed, so it is converted again.';

/**
 * Converts a source that no program writes to at the same time. Where only its change time differs, it may have been renamed, or
 * written to and dated back, so it is converted again.
 */
async function convertUnchanged(job: Job, files: Files & { before: FileIdentity }): Promise<void> {
  let { before } = files;
  const total = job.input.dataBytes;
  files.progress.startPhase('convert', { unit: 'bytes', total, method: 'read-write' });
  for (let conversion = 1; conversion <= maxConversions; conversion += 1) {
    if (conversion > 1) files.progress.updatePhase({ notes: [againNote] });
    await write(job, files);
    const now = await readIdentity(files.source);
    const difference = compareIdentity(before, now);
    if (difference === 'same') return;
    if (difference === 'changed') break;
    before = now;
  }
  throw new ApiError('source_changed');
}

async function write(
  { input, directory, id, onStart }: Job,
  { source, target, progress }: Files,
): Promise<void> {
  const { dataBytes, virtualSizeBytes } = input;
  const report = (done: number): void => {
    progress.advance(done);
    const skipped = virtualSizeBytes - dataBytes;
    progress.setBytes({ virtual: virtualSizeBytes, data: dataBytes, skipped, shared: 0, written: done });
  };
  try {
    await runConversion({ source, target, input, signal: progress.signal, onDone: report, onStart });
  } catch (error) {
    // The next run starts from zero, so the partial would only occupy the space that the conversion waits for.
    if (error instanceof ApiError) await unlink(partialPath(directory, id)).catch(() => {});
    throw error;
  }
  report(dataBytes);
}

/** Proves that the conversion is complete: after a crash of qemu-img, a partial file can look complete. */
async function assertTarget(target: FileHandle, input: ConvertInput, signal: AbortSignal): Promise<void> {
  const found =
    input.format === 'raw'
      ? { virtualSizeBytes: (await target.stat()).size }
      : await inspectQcow2(target, { signal });
  if (found.virtualSizeBytes === input.virtualSizeBytes) return;
  throw new ApiError('io_error', { message: 'The virtual size of the new image differs from its source.' });
}

async function readIdentity(file: FileHandle): Promise<FileIdentity> {
  return identityOf(await file.stat({ bigint: true }));
}
