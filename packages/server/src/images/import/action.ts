import { ApiError } from '@wcc/api';
import { CopyError, createReceived, openReceived, readCheckpoint, removeRemains } from '@wcc/copy';
import type { ReceivedFile, Receiving } from '@wcc/copy';
import type { Action, OperationView } from '../../operations/action.ts';
import type { Progress, WorkResult } from '../../operations/work.ts';
import { startWork } from '../../operations/work.ts';
import type { ImagesContext } from '../context.ts';
import { completeReceived } from '../foreign/complete-received.ts';
import { inspectForeign } from '../foreign/inspect.ts';
import { publishingAction } from '../publish/publishing-action.ts';
import { forgetImport } from './context.ts';
import type { ImportContext } from './context.ts';
import { fetchFile } from './fetch.ts';
import { importAction } from './input.ts';
import type { ImportInput } from './input.ts';
import { requestImport } from './request.ts';
import { reserveMore } from '../space/reserve-more.ts';
import { storeRemote, readRemote } from './validators.ts';

/** `import_image`: a file from another server, into the pool. Resumes where a connection ended. */
export function createImportAction(context: ImagesContext, imports: ImportContext): Action<ImportInput> {
  return publishingAction<ImportInput>(context, {
    name: importAction,
    phases: () => ['connect', 'receive', 'flush', 'inspect', 'publish'],
    async start(operation, { directory, hooks }) {
      const job = { context, imports, operation, directory };
      return startWork(hooks, (progress) => importFile(job, progress), { poolPath: directory });
    },
    async durableProgress({ id, input }) {
      const checkpoint = await readCheckpoint((await context.pools.use(input.poolId)).path, id);
      return checkpoint === null ? null : { phase: 'receive', done: Number(checkpoint.offset) };
    },
    async complete({ id, input: { sha256 } }, { path }) {
      // No program uses the file before it is registered, so a second inspection after a crash has the same
      // result.
      const found = imports.inspected.get(id) ?? (await inspectForeign(path));
      // wcc compared a given digest with the file before the rename.
      return { ...found, copiedFrom: null, dataBytes: null, sha256 };
    },
    totalBytes: ({ id }) => imports.wanted.get(id),
    release: ({ id }) => forgetImport(imports, id),
    async retry({ input }, request) {
      if (input.hasQuery)
        throw queryGone('wcc does not store the query of the address, because it may contain a secret.');
      return requestImport(context, { ...request, request: input.request, imports });
    },
  });
}

function queryGone(message: string): ApiError {
  return new ApiError('import_failed', {
    message,
    hint: 'Start the import again with the complete address.',
  });
}

interface Job {
  context: ImagesContext;
  imports: ImportContext;
  operation: OperationView<ImportInput>;
  directory: string;
}

/**
 * Length to use while the real length is unknown, because a checkpoint with an offset beyond the length is invalid.
 */
const unknownBytes = Number.MAX_SAFE_INTEGER;

async function importFile(job: Job, progress: Progress): Promise<Partial<WorkResult>> {
  const { imports, operation, directory } = job;
  const { id, input } = operation;
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
      maxBytes: context.maxVirtualSizeBytes,
      file,
      remote,
      progress,
      note: (known) => storeRemote(context, id, known),
      reserve: (bytes) => reserveMore(context, { pool, id, bytes, wanted: imports.wanted }),
    });
  } finally {
    await file.close();
  }
}

/** @throws ApiError `import_failed` if the query was lost in a restart */
function sourceOf({ imports, operation: { id, input } }: Job): URL {
  const known = imports.sources.get(id);
  if (known !== undefined) return known;
  if (!input.hasQuery) return new URL(input.url);
  throw queryGone(
    'The server restarted. wcc does not store the query of the address, because it may contain a secret.',
  );
}

/** The partial of an earlier run, or a new one. */
async function openPartial(what: Receiving): Promise<ReceivedFile> {
  try {
    return await openReceived(what);
  } catch (error) {
    if (!(error instanceof CopyError) || !['not_found', 'source_changed', 'unsupported'].includes(error.code))
      throw error;
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
