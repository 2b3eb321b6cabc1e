import { ApiError } from '@wcc/api';
import { CopyError } from '@wcc/copy';
import { create as createPartial, open as openPartial } from '@wcc/copy/receive';
import * as recovery from '@wcc/copy/recovery';
import type { PartialFile, ReceiveTarget } from '@wcc/copy/receive';
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
    isNetworkBound: true,
    phases: () => ['connect', 'receive', 'flush', 'inspect', 'publish'],
    async start(operation, { directory, hooks }) {
      const warn = (code: string): void => hooks.onWarning(code);
      const job = { context, imports, operation, directory, warn };
      return startWork(hooks, (progress) => importFile(job, progress), { poolPath: directory });
    },
    async durableProgress({ id, input }) {
      const checkpoint = await recovery.readCheckpoint((await context.pools.use(input.poolId)).path, id);
      return checkpoint === null ? null : { phase: 'receive', done: Number(checkpoint.offset) };
    },
    async complete({ id, input: { sha256, format, targetName: name } }, { path }) {
      // No program uses the file before it is registered, so a second inspection after a crash has the same
      // result.
      const found =
        imports.inspected.get(id) ?? (await inspectForeign(path, { believed: format ?? undefined, name }));
      // wcc compared a given digest with the file before the rename.
      return { ...found, copiedFrom: null, dataBytes: null, sha256, declared: format };
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
  warn: (code: string) => void;
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
  const what: ReceiveTarget = { directory, id, tag: poolId, targetName, sizeBytes: unknownBytes };
  const sizeBytes = await receive(job, what, progress);
  const target: ReceiveTarget = { ...what, sizeBytes };
  const { maxVirtualSizeBytes } = job.context;
  const { warnings } = await completeReceived(await reopenComplete(target), {
    target,
    sha256,
    async inspect(path) {
      const { signal } = progress;
      const options = { signal, believed: format ?? undefined, name: targetName, maxVirtualSizeBytes };
      imports.inspected.set(id, await inspectForeign(path, options));
    },
    progress,
  });
  const bytes = { virtual: sizeBytes, data: sizeBytes, skipped: 0, shared: 0, written: sizeBytes };
  return { bytes, warnings: [...(imports.inspected.get(id)?.remarks ?? []), ...warnings] };
}

/** @returns the length of the file */
async function receive(job: Job, what: ReceiveTarget, progress: Progress): Promise<number> {
  const { context, imports, operation } = job;
  const { id } = operation;
  const { maxVirtualSizeBytes } = context;
  const pool = await context.pools.use(what.tag ?? '');
  const remote = await readRemote(context, id);
  const file = await openOrCreatePartial(what);
  try {
    return await fetchFile({
      source: () => sourceOf(job),
      isAllowed: imports.isAllowed,
      judge: { declared: operation.input.format ?? undefined, maxVirtualSizeBytes },
      maxBytes: maxVirtualSizeBytes,
      file,
      remote,
      progress,
      note: (known) => storeRemote(context, id, known),
      // A digest proves the end.
      onUnprovenEnd: () => {
        if (operation.input.sha256 === null) job.warn('unproven_end');
      },
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
async function openOrCreatePartial(what: ReceiveTarget): Promise<PartialFile> {
  try {
    return await openPartial(what);
  } catch (error) {
    if (!(error instanceof CopyError) || !['not_found', 'source_changed', 'unsupported'].includes(error.code))
      throw error;
    await recovery.remove(what.directory, what.id);
    return createPartial(what);
  }
}

/** Opens the complete partial, and records the length that the file has. */
async function reopenComplete(target: ReceiveTarget): Promise<PartialFile> {
  const file = await openPartial(target);
  await file.record(target.sizeBytes).catch(async (error: unknown) => {
    await file.close();
    throw error;
  });
  return file;
}
