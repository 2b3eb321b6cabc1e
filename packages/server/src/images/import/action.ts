import { ApiError } from '@wcc/api';
import {
  CopyError,
  createReceived,
  forget,
  openReceived,
  readCheckpoint,
  removeRemains,
  settlePublication,
} from '@wcc/copy';
import type { ReceivedFile, Receiving } from '@wcc/copy';
import type { Snapshot } from '@wcc/progress';
import { join } from 'node:path';
import type { Action, Completion, OperationView, RetryRequest } from '../../operations/action.ts';
import type { WorkResult } from '../../operations/work.ts';
import type { ImagesContext } from '../context.ts';
import { completeReceived } from '../foreign/complete-received.ts';
import { inspectForeign } from '../foreign/inspect.ts';
import { registerImage } from '../register-image.ts';
import { measureRoom, readReservation } from '../free-space.ts';
import { startWork } from '../../operations/work.ts';
import type { Progress } from '../../operations/work.ts';
import { forgetImport } from './context.ts';
import type { ImportContext } from './context.ts';
import { fetchFile } from './fetch.ts';
import type { ImportInput } from './input.ts';
import { reserveRoom } from './reserve.ts';
import { noteRemote, readRemote } from './validators.ts';

/** `import_image`: a file from another server, straight into the pool, going on where a connection ended. */
export function createImportAction(
  context: ImagesContext,
  imports: ImportContext,
  retry: (input: ImportInput, request: RetryRequest & { retryOf: string }) => Promise<Snapshot>,
): Action {
  const { pools } = context;
  const input = (operation: OperationView): ImportInput => operation.input as ImportInput;
  const directory = async (operation: OperationView): Promise<string> =>
    (await pools.use(operation.input.poolId)).path;
  return {
    name: 'import_image',
    phases: () => ['connect', 'receive', 'flush', 'inspect', 'publish'],
    async start(operation, hooks) {
      const job = {
        context,
        imports,
        operation,
        input: input(operation),
        directory: await directory(operation),
      };
      return startWork(hooks, (progress) => importFile(job, progress), { poolPath: job.directory });
    },
    async settle(operation) {
      const name = Buffer.from(input(operation).targetName);
      const found = await settlePublication(await directory(operation), operation.id, name);
      return found === 'published' || found === 'resumable' ? found : 'nothing';
    },
    async durable(operation) {
      const checkpoint = await readCheckpoint(await directory(operation), operation.id);
      return checkpoint === null ? null : { phase: 'receive', done: Number(checkpoint.offset) };
    },
    complete: (operation) => complete(context, imports, operation),
    async room(operation) {
      const pool = await pools.use(operation.input.poolId);
      const own = await readReservation(context.store, pool, operation.id);
      const { freeBytes } = await measureRoom(context, pool, operation.id);
      const inAllBytes = imports.wanted.get(operation.id) ?? own?.reservedBytes ?? 0;
      return { needsBytes: Math.max(0, inAllBytes - (own?.writtenBytes ?? 0)), freeBytes };
    },
    async clean(operation) {
      forgetImport(imports, operation.id);
      await removeRemains(await directory(operation), operation.id);
    },
    async forget(operation) {
      forgetImport(imports, operation.id);
      await forget(await directory(operation), operation.id);
    },
    retry: (operation, request) => retry(input(operation), { ...request, retryOf: operation.id }),
  };
}

async function complete(
  { store, pools }: ImagesContext,
  { inspected }: ImportContext,
  operation: OperationView,
): Promise<Completion> {
  const { targetId, targetName, poolId, ownerId, sha256 } = operation.input as ImportInput;
  const { path } = pools.find(poolId);
  // Nobody can have used the file before it is registered: after a crash it says the same once more.
  const known = inspected.get(operation.id) ?? (await inspectForeign(join(path, targetName)));
  const made = { id: targetId, poolId, directory: path, name: targetName, ownerId, copiedFrom: null };
  // A digest that was given was compared before the file got its name.
  return registerImage(store, { ...made, ...known, dataBytes: null, sha256 });
}

interface Job {
  context: ImagesContext;
  imports: ImportContext;
  operation: OperationView;
  input: ImportInput;
  directory: string;
}

/** Until the end is known: an offset beyond the length would make a checkpoint malformed. */
const unknownBytes = Number.MAX_SAFE_INTEGER;

async function importFile(job: Job, progress: Progress): Promise<Partial<WorkResult>> {
  const { imports, operation, input, directory } = job;
  const { id } = operation;
  const { poolId, targetName, sha256, format } = input;
  const what: Receiving = { directory, id, poolId, targetName, sizeBytes: unknownBytes };
  const sizeBytes = await receive(job, what, progress);
  const target: Receiving = { ...what, sizeBytes };
  const { maxVirtualSizeBytes } = job.context;
  const { warnings } = await completeReceived(await reopenComplete(target), {
    target,
    sha256,
    async inspect(path) {
      const options = { signal: progress.signal, believed: format ?? undefined, maxVirtualSizeBytes };
      imports.inspected.set(id, await inspectForeign(path, options));
    },
    progress,
  });
  const bytes = { virtual: sizeBytes, data: sizeBytes, skipped: 0, shared: 0, written: sizeBytes };
  return { bytes, warnings };
}

/** @returns the length of the file */
async function receive(job: Job, what: Receiving, progress: Progress): Promise<number> {
  const { context, imports, operation } = job;
  const { id } = operation;
  const pool = await context.pools.use(what.poolId ?? '');
  const remote = await readRemote(context, id);
  const file = await openPartial(what);
  try {
    return await fetchFile({
      source: () => sourceOf(job),
      isAllowed: imports.isAllowed,
      mostBytes: context.maxVirtualSizeBytes,
      file,
      remote,
      progress,
      note: (known) => noteRemote(context, id, known),
      reserve: (bytes) => reserveRoom(context, { pool, id, bytes, wanted: imports.wanted }),
    });
  } finally {
    await file.close();
  }
}

/** @throws ApiError `import_failed` when a restart has taken the query along */
function sourceOf({ imports, operation, input }: Job): URL {
  const known = imports.sources.get(operation.id);
  if (known !== undefined) return known;
  if (!input.hasQuery) return new URL(input.url);
  throw new ApiError('import_failed', {
    message: 'The server restarted, and the query of the address was not kept: it may hold a secret.',
    hint: 'Start the import again with the whole address.',
  });
}

/** What an earlier run left, or a new one. */
async function openPartial(what: Receiving): Promise<ReceivedFile> {
  try {
    return await openReceived(what);
  } catch (error) {
    if (!(error instanceof CopyError) || !['not_found', 'source_changed'].includes(error.code)) throw error;
    await removeRemains(what.directory, what.id);
    return createReceived(what);
  }
}

/** Opens the complete partial, and records the length that the file has. */
async function reopenComplete(target: Receiving): Promise<ReceivedFile> {
  const file = await openReceived(target);
  await file.record(target.sizeBytes).catch(async (error: unknown) => {
    await file.close();
    throw error;
  });
  return file;
}
