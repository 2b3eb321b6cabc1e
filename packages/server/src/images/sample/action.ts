import { removeRemains } from '@wcc/copy';
import type { Snapshot } from '@wcc/progress';
import { join } from 'node:path';
import type { Action, OperationInput, OperationView, RetryRequest } from '../../operations/action.ts';
import type { StartHooks, Work } from '../../operations/work.ts';
import type { ImagesContext } from '../context.ts';
import { startWork } from '../../operations/work.ts';
import { registerImage } from '../register-image.ts';
import { measureRoom, partialPath, readReservation } from '../free-space.ts';
import { lookAt } from '../scan/stat-entry.ts';
import { writeSample } from './write.ts';

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
      const own = await readReservation(context.store, pool, operation.id);
      const { freeBytes } = await measureRoom(context, pool, operation.id);
      return { needsBytes: Math.max(0, (own?.reservedBytes ?? 0) - (own?.writtenBytes ?? 0)), freeBytes };
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
  const { path: directory } = await context.pools.use(poolId);
  const file = {
    directory,
    partialPath: partialPath(directory, operation.id),
    targetPath: join(directory, targetName),
    sizeBytes,
  };
  return startWork(
    hooks,
    async (progress) => {
      await writeSample(file, progress);
      return { method: 'read-write' };
    },
    { poolPath: directory },
  );
}
