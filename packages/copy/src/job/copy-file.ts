import { CopyError } from '../contract/errors.ts';
import { toCopyError } from '../kernel/errno.ts';
import { showPath, splitPath, toPathBytes } from '../storage/paths.ts';
import { initialFacts } from '../contract/facts.ts';
import { assertLimit, createRequest, randomId } from './options.ts';
import { runInWorker } from './pool.ts';
import { createSlot } from '../contract/slot.ts';
import type { SlotReader } from '../contract/slot.ts';
import type { CopyJob, CopyOptions, CopyPhaseEvent, CopyResult, PathLike } from '../contract/types.ts';

/**
 * Starts copying a regular file on a worker thread. The file gets its final name when it is complete and, unless
 * `durable` is false, on the storage; never before.
 *
 * Never throws: every failure, an invalid option included, rejects `job.done` with a CopyError.
 */
export function copyFile(source: PathLike, destination: PathLike, options: CopyOptions = {}): CopyJob {
  const id = options.id ?? randomId();
  const { slot, problem } = prepareSlot(options);
  const facts = initialFacts();
  const onPhase = (event: CopyPhaseEvent): void => {
    Object.assign(facts, event.facts);
    options.onPhase?.(event);
  };
  const start = async (): Promise<CopyResult> => {
    if (problem !== null) throw toCopyError(problem);
    return await runExclusively({ source, destination, id }, { ...options, onPhase }, slot);
  };
  const onAbort = (): void => slot.stop('cancel');
  // This must run before the start, because the worker may complete a small file before this thread runs again.
  if (options.signal?.aborted === true) onAbort();
  else options.signal?.addEventListener('abort', onAbort, { once: true });
  const done = start().finally(() => slot.end());
  // The caller may never await `done`: its rejection must not end the process.
  done.catch(() => {}).finally(() => options.signal?.removeEventListener('abort', onAbort));
  return {
    id,
    done,
    progress: () => slot.read(),
    facts: () => ({ ...facts }),
    cancel: () => slot.stop('cancel'),
    interrupt: () => slot.stop('interrupt'),
    pause: () => slot.setPaused(true),
    resume: () => slot.setPaused(false),
    setLimit: (bytesPerSecond) => slot.setLimit(assertLimit(bytesPerSecond)),
  };
}

function prepareSlot(options: CopyOptions): { slot: SlotReader; problem: unknown } {
  try {
    return { slot: createSlot(assertLimit(options.bytesPerSecond ?? null)), problem: null };
  } catch (problem) {
    return { slot: createSlot(null), problem };
  }
}

/** Partials in use by copies of this process. A lock on the partial itself excludes other processes. */
const partialsInUse = new Set<string>();

async function runExclusively(
  paths: { source: PathLike; destination: PathLike; id: string },
  options: CopyOptions & { onPhase: (event: CopyPhaseEvent) => void },
  slot: SlotReader,
): Promise<CopyResult> {
  const request = createRequest(paths, options, slot.memory);
  const key = `${paths.id} ${splitPath(toPathBytes(paths.destination)).directory.toString('latin1')}`;
  if (partialsInUse.has(key)) {
    throw new CopyError('partial_in_use', { path: showPath(request.destination) });
  }
  partialsInUse.add(key);
  try {
    return await runInWorker(request, options.onPhase);
  } finally {
    partialsInUse.delete(key);
  }
}
