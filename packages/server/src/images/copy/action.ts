import type { CopyJob, CopyOptions, CopyPhaseEvent, CopyPhaseName } from '@wcc/copy';
import { copyFile, forget, readCheckpoint, removeRemains, settlePublication } from '@wcc/copy';
import { join } from 'node:path';
import type { Action, OperationView, RetryRequest } from '../../operations/action.ts';
import type { PhaseEvent, StartHooks, Work } from '../../operations/work.ts';
import type { Snapshot } from '@wcc/progress';
import { toWorkFailure } from '../../operations/failure.ts';
import type { ImagesContext } from '../context.ts';
import { registerImage } from '../register-image.ts';
import { measureRoom, readReservation } from '../free-space.ts';
import { lookAt } from '../scan/stat-entry.ts';
import type { CopyInput } from './input.ts';

const phaseNames: readonly CopyPhaseName[] = [
  'inspect',
  'reserve',
  'clone',
  'transfer',
  'flush',
  'verify',
  'publish',
];

/** `copy_vm_image`: the copy engine as an operation. */
export function createCopyAction(
  context: ImagesContext,
  retry: (input: CopyInput, request: RetryRequest & { retryOf: string }) => Promise<Snapshot>,
): Action {
  const { store, pools } = context;
  const input = (operation: OperationView): CopyInput => operation.input as CopyInput;
  const directory = async (operation: OperationView): Promise<string> =>
    (await pools.use(operation.input.poolId)).path;
  return {
    name: 'copy_vm_image',
    canPause: true,
    phases: (given) => phasesOf(given as CopyInput),
    start: (operation, hooks) => start(context, operation, hooks),
    async settle(operation) {
      const found = await settlePublication(
        await directory(operation),
        operation.id,
        Buffer.from(input(operation).targetName),
      );
      return found === 'published' || found === 'resumable' ? found : 'nothing';
    },
    durable: (operation) => durableOf(context, operation),
    async complete(operation, result) {
      const { targetId, targetName, poolId, format, virtualSizeBytes, ownerId, sourceId } = input(operation);
      return registerImage(store, {
        id: targetId,
        poolId,
        // Published is published, even where the marker went missing meanwhile.
        directory: pools.find(poolId).path,
        name: targetName,
        format,
        virtualSizeBytes,
        ownerId,
        copiedFrom: sourceId,
        baseId: input(operation).baseId ?? null,
        dataBytes: result?.bytes?.data ?? null,
      });
    },
    room: (operation) => roomOf(context, operation),
    async clean(operation) {
      await removeRemains(await directory(operation), operation.id).catch((error: unknown) => {
        throw toWorkFailure(error);
      });
    },
    forget: async (operation) => forget(await directory(operation), operation.id),
    retry: (operation, request) => retry(input(operation), { ...request, retryOf: operation.id }),
  };
}

/** What the next start can go on from: nothing, when the source is not the one that was copied. */
async function durableOf(
  { pools }: ImagesContext,
  operation: OperationView,
): Promise<{ phase: string; done: number } | null> {
  const { poolId, sourcePoolId, sourceName } = operation.input as CopyInput;
  const checkpoint = await readCheckpoint((await pools.use(poolId)).path, operation.id);
  if (checkpoint === null) return null;
  const source = await lookAt(join((await pools.use(sourcePoolId)).path, sourceName), sourceName);
  const { inode, size, mtimeNs } = checkpoint.source;
  const isSame = source?.inode === inode && String(source.sizeBytes) === size && source.mtimeNs === mtimeNs;
  return isSame ? { phase: 'transfer', done: Number(checkpoint.doneBytes) } : null;
}

async function roomOf(
  context: ImagesContext,
  operation: OperationView,
): Promise<{ needsBytes: number; freeBytes: number }> {
  const pool = await context.pools.use(operation.input.poolId);
  const own = await readReservation(context.store, pool, operation.id);
  const { freeBytes } = await measureRoom(context, pool, operation.id);
  return { needsBytes: Math.max(0, (own?.reservedBytes ?? 0) - (own?.writtenBytes ?? 0)), freeBytes };
}

function phasesOf({ method, verify }: CopyInput): CopyPhaseName[] {
  return phaseNames.filter((name) => {
    if (name === 'clone') return method !== 'copy';
    if (name === 'transfer') return method !== 'clone';
    return name !== 'verify' || verify;
  });
}

async function start(context: ImagesContext, operation: OperationView, hooks: StartHooks): Promise<Work> {
  const { pools } = context;
  const { sourcePoolId, sourceName, targetName, poolId, method, bytesPerSecond, verify } =
    operation.input as CopyInput;
  let sourcePath = '';
  try {
    const [from, to] = [await pools.use(sourcePoolId), await pools.use(poolId)];
    const room = await measureRoom(context, to, operation.id);
    sourcePath = join(from.path, sourceName);
    const told = new Set<string>();
    const options: CopyOptions = {
      id: operation.id,
      poolId,
      method,
      verify,
      bytesPerSecond,
      freeSpaceFloorBytes: room.keepFreeBytes,
      keepOnFailure: true,
      keepSidecar: true,
      refuseWriters: true,
      onPhase: (event) => hooks.onPhase({ ...toPhaseEvent(event), notes: notesOf(event, told) }),
    };
    return toWork(copyFile(sourcePath, join(to.path, targetName), options), sourcePath);
  } catch (error) {
    throw toWorkFailure(error, { sourcePath });
  }
}

function toPhaseEvent({ phase, unit, totalBytes, facts }: CopyPhaseEvent): PhaseEvent {
  const method = facts?.method === undefined ? {} : { method: facts.method };
  const skipped = phase === 'transfer' ? ['clone'] : [];
  return { phase, unit, total: totalBytes, skipped, ...method };
}

/** Every event carries all facts so far: each is noted once. */
function notesOf({ facts }: CopyPhaseEvent, told: Set<string>): string[] {
  const notes: string[] = [];
  if (typeof facts?.resumedAtBytes === 'number') notes.push(`goes on at ${facts.resumedAtBytes} bytes`);
  if (facts?.restartedBecause) notes.push(`starts from zero: ${facts.restartedBecause}`);
  if (facts?.cloneRefused) notes.push(`blocks are not shared: ${facts.cloneRefused}`);
  const fresh = notes.filter((note) => !told.has(note));
  for (const note of fresh) told.add(note);
  return fresh;
}

function restartWarning(job: CopyJob): string[] {
  return job.facts().restartedBecause === 'source_changed' ? ['restarted_source_changed'] : [];
}

/** The job as the engine of operations sees it. Reading its numbers costs nothing. */
function toWork(job: CopyJob, sourcePath: string): Work {
  return {
    done: job.done.then(
      ({ bytes, method, warnings, phases }) => ({
        bytes,
        method,
        warnings: [...warnings, ...restartWarning(job)],
        // A clone that was tried in vain is no phase of this copy.
        phases: phases.filter(({ name }) => name !== 'clone' || method === 'clone'),
      }),
      (error: unknown) => {
        throw toWorkFailure(error, { sourcePath });
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
    interrupt: () => job.interrupt(),
    pause: () => job.pause(),
    resume: () => job.resume(),
  };
}
