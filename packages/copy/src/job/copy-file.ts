import { CopyError } from '../contract/errors.ts';
import { showPath, splitPath } from '../storage/paths.ts';
import { initialFacts } from '../contract/facts.ts';
import type { CopyRequest } from '../contract/messages.ts';
import { createRequest, randomId, readCopyOptions, readLimit } from './options.ts';
import type { CopySettings } from './options.ts';
import { runInWorker } from './pool.ts';
import { createOutcome } from './outcome.ts';
import { runWatched } from './run-watched.ts';
import { createSlot } from '../contract/slot.ts';
import type { SlotReader } from '../contract/slot.ts';
import type {
  CopyFacts,
  CopyJob,
  CopyOptions,
  CopyPhaseEvent,
  CopyResult,
  PathLike,
} from '../contract/types.ts';

/**
 * Copies a regular file on a worker thread. The file gets its final name when it is complete and, unless `durable`
 * is false, on the storage; never before. To pause, suspend or limit the copy, use `startCopy`.
 *
 * @throws CopyError for every failure, an invalid argument or option included
 */
export async function copyFile(
  source: PathLike,
  destination: PathLike,
  options?: CopyOptions,
): Promise<CopyResult> {
  return await startCopy(source, destination, options).done;
}

/**
 * Starts copying a regular file, as `copyFile` does, and returns the running copy.
 *
 * Never throws: every failure, an invalid argument or option included, rejects `job.done` with a CopyError.
 */
export function startCopy(source: PathLike, destination: PathLike, options?: CopyOptions): CopyJob {
  const facts = initialFacts();
  const { slot, settings, request, problem } = prepare({ source, destination }, options);
  const start = async (): Promise<CopyResult> => {
    if (request === null) throw problem;
    return await runCopy({ settings, request, slot, facts });
  };
  const outcome = createOutcome(start());
  return {
    id: request?.id ?? randomId(),
    get done() {
      return outcome.done;
    },
    progress: () => slot.read(),
    facts: () => ({ ...facts }),
    cancel: () => slot.stop('cancel'),
    suspend: () => slot.stop('suspend'),
    pause: () => slot.setPaused(true),
    resume: () => slot.setPaused(false),
    setLimit: (bytesPerSecond) => slot.setLimit(readLimit(bytesPerSecond)),
    [Symbol.asyncIterator]: () => outcome.watch(() => slot.read()),
  };
}

type Prepared =
  | { slot: SlotReader; settings: CopySettings; request: CopyRequest; problem: null }
  | { slot: SlotReader; settings: null; request: null; problem: unknown };

/** Checks the arguments. A wrong one becomes the failure of the job. */
function prepare(
  paths: { source: PathLike; destination: PathLike },
  options: CopyOptions | undefined,
): Prepared {
  try {
    const settings = readCopyOptions(options);
    const slot = createSlot(settings.bytesPerSecond);
    return { slot, settings, request: createRequest(paths, settings, slot.memory), problem: null };
  } catch (problem) {
    const slot = createSlot(null);
    slot.end();
    return { slot, settings: null, request: null, problem };
  }
}

interface PreparedCopy {
  settings: CopySettings;
  request: CopyRequest;
  slot: SlotReader;
  facts: CopyFacts;
}

function runCopy({ settings, request, slot, facts }: PreparedCopy): Promise<CopyResult> {
  const onPhase = (event: CopyPhaseEvent): void => {
    Object.assign(facts, event.facts);
    return settings.onPhase?.(event);
  };
  return runWatched({
    signal: settings.signal,
    onProgress: settings.onProgress,
    read: () => slot.read(),
    stop: () => slot.stop('cancel'),
    start: (guard) => runExclusively({ request, slot, onPhase: guard(onPhase) }).finally(() => slot.end()),
  });
}

/** Partials in use by copies of this process. A lock on the partial itself excludes other processes. */
const partialsInUse = new Set<string>();

interface StartedCopy {
  request: CopyRequest;
  slot: SlotReader;
  onPhase: (event: CopyPhaseEvent) => void;
}

async function runExclusively(copy: StartedCopy): Promise<CopyResult> {
  const { id, destination } = copy.request;
  const key = `${id} ${splitPath(destination).directory.toString('latin1')}`;
  if (partialsInUse.has(key)) throw new CopyError('partial_in_use', { path: showPath(destination) });
  partialsInUse.add(key);
  try {
    return await runThroughPauses(copy);
  } finally {
    partialsInUse.delete(key);
  }
}

/** In a long pause the copy leaves its thread, and continues on any thread. */
async function runThroughPauses({ request, slot, onPhase }: StartedCopy): Promise<CopyResult> {
  let next = request;
  for (;;) {
    const end = await runInWorker(next, { onEvent: onPhase });
    if (!('isParked' in end)) return end;
    await keepAlive(slot.whenResumed());
    next = { ...request, continues: end.continuation };
  }
}

const dayMs = 86_400_000;

/** A paused copy keeps the process alive, as one at work does. */
async function keepAlive(resumed: Promise<void>): Promise<void> {
  const timer = setInterval(() => {}, dayMs);
  await resumed.finally(() => clearInterval(timer));
}
