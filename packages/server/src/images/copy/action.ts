import type { CopyJob, CopyOptions, CopyPhaseEvent } from '@wcc/copy';
import { startCopy, copyPhaseNames } from '@wcc/copy';
import { compareIdentity, readCheckpoint } from '@wcc/copy/recovery';
import { join } from 'node:path';
import type { Action, OperationView } from '../../operations/action.ts';
import { confirmWorkFailure } from '../../operations/failure.ts';
import type { PhaseEvent, Work } from '../../operations/work.ts';
import type { ImagesContext } from '../context.ts';
import { measureFreeSpace } from '../space/free-space.ts';
import { publishingAction } from '../publish/publishing-action.ts';
import type { StartOptions } from '../publish/publishing-action.ts';
import { statEntry } from '../scan/stat-entry.ts';
import { copyAction } from './input.ts';
import type { CopyInput } from './input.ts';
import { cloneNote, restartNote } from './notes.ts';
import { requestCopy } from './request.ts';

/** `copy_vm_image`: the copy engine as an operation. */
export function createCopyAction(context: ImagesContext): Action<CopyInput> {
  return publishingAction<CopyInput>(context, {
    name: copyAction,
    canPause: true,
    limitOf: ({ bytesPerSecond }) => bytesPerSecond,
    phases: phasesOf,
    start: (operation, options) => start(context, operation, options),
    durableProgress: (operation) => durableProgress(context, operation),
    complete: ({ input }, { result }) => ({
      format: input.format,
      virtualSizeBytes: input.virtualSizeBytes,
      copiedFrom: input.sourceId,
      baseId: input.baseId ?? null,
      dataBytes: result?.bytes?.data ?? null,
    }),
    retry: ({ input }, request) => requestCopy(context, { ...request, request: input.request }),
  });
}

/** Null when the source is not the file that was copied: then the copy starts from zero. */
async function durableProgress(
  { pools }: ImagesContext,
  { id, input: { poolId, sourcePoolId, sourceName } }: OperationView<CopyInput>,
): Promise<{ phase: string; done: number } | null> {
  const checkpoint = await readCheckpoint((await pools.use(poolId)).path, id);
  if (checkpoint === null) return null;
  const source = await statEntry(join((await pools.use(sourcePoolId)).path, sourceName), sourceName);
  // Where only the change time differs, the engine compares the copied bytes before it resumes.
  const isOther = source === null || compareIdentity(checkpoint.source, source) === 'changed';
  return isOther ? null : { phase: 'transfer', done: Number(checkpoint.doneBytes) };
}

function phasesOf({ method, verify }: CopyInput): CopyPhaseEvent['phase'][] {
  return copyPhaseNames.filter((name) => {
    if (name === 'clone') return method !== 'copy';
    if (name === 'transfer') return method !== 'clone';
    return name !== 'verify' || verify;
  });
}

async function start(
  context: ImagesContext,
  { id, input }: OperationView<CopyInput>,
  { directory, hooks }: StartOptions,
): Promise<Work> {
  const { poolId, method, verify, bytesPerSecond } = input;
  const sourcePath = join((await context.pools.use(input.sourcePoolId)).path, input.sourceName);
  const { keepFreeBytes } = await measureFreeSpace(context, { id: poolId, path: directory }, [id]);
  const noted = new Set<string>();
  const options: CopyOptions = {
    id,
    tag: poolId,
    method,
    verify,
    bytesPerSecond,
    minFreeBytes: keepFreeBytes,
    keepPartial: true,
    keepSidecar: true,
    ifInUse: 'fail',
    onPhase: (event) => hooks.onPhase({ ...toPhaseEvent(event), notes: newNotes(event, noted) }),
  };
  return toWork(startCopy(sourcePath, join(directory, input.targetName), options), sourcePath);
}

function toPhaseEvent({ phase, unit, totalBytes, facts }: CopyPhaseEvent): PhaseEvent {
  const method = facts?.method === undefined ? {} : { method: facts.method };
  const skipped = phase === 'transfer' ? ['clone'] : [];
  return { phase, unit, total: totalBytes, skipped, ...method };
}

/** Every event has all facts so far, so the log gets each fact once. */
function newNotes({ facts }: CopyPhaseEvent, noted: Set<string>): string[] {
  const notes: string[] = [];
  if (typeof facts?.resumedAtBytes === 'number')
    notes.push(`The copy resumes at ${facts.resumedAtBytes} bytes.`);
  if (facts?.restartedBecause) notes.push(restartNote(facts.restartedBecause));
  if (facts?.cloneRefused) notes.push(cloneNote(facts.cloneRefused));
  const added = notes.filter((note) => !noted.has(note));
  for (const note of added) noted.add(note);
  return added;
}

function restartWarning(job: CopyJob): string[] {
  return job.facts().restartedBecause === 'source_changed' ? ['restarted_source_changed'] : [];
}

/** The job in the form that the engine of operations uses. */
function toWork(job: CopyJob, sourcePath: string): Work {
  return {
    done: job.done.then(
      ({ bytes, method, warnings, phases }) => ({
        bytes,
        method,
        warnings: [...warnings, ...restartWarning(job)],
        // A clone that the file system refused is not a phase of this copy.
        phases: phases.filter(({ name }) => name !== 'clone' || method === 'clone'),
      }),
      async (error: unknown) => {
        throw await confirmWorkFailure(error, { sourcePath });
      },
    ),
    progress() {
      const now = job.progress();
      const { virtualBytes, dataBytes } = job.facts();
      return {
        phase: now.phase,
        done: now.doneBytes,
        durable: now.durableBytes,
        total: now.totalBytes,
        bytes: {
          virtual: virtualBytes,
          data: dataBytes,
          skipped: now.skippedBytes,
          shared: now.sharedBytes,
          written: now.writtenBytes,
        },
        sinceProgressMs: now.sinceProgressMs,
        phaseElapsedMs: now.phaseElapsedMs,
      };
    },
    cancel: () => job.cancel(),
    interrupt: () => job.suspend(),
    pause: () => job.pause(),
    resume: () => job.resume(),
  };
}
