import type { Action, OperationView } from '../../operations/action.ts';
import type { Progress } from '../../operations/work.ts';
import { startWork } from '../../operations/work.ts';
import type { ImagesContext } from '../context.ts';
import { deleteAction } from './input.ts';
import type { DeleteInput } from './input.ts';
import { nameOf, isRemoved, removeFile, reconcileRemoval, undoRemoval } from './remove.ts';
import type { Removal } from './remove.ts';
import { requestDeletion } from './request.ts';
import { withHeldPool } from '../pool/held-pool.ts';
import { confirmWorkFailure } from '../../operations/failure.ts';

/** `delete_image`: removes the name of the file, frees its blocks, and deletes its record. */
export function createDeleteAction(context: ImagesContext): Action<DeleteInput> {
  const { store, pools } = context;
  const withRemoval = <Result>(
    { id, input }: OperationView<DeleteInput>,
    step: (removal: Removal) => Promise<Result>,
  ): Promise<Result> => withHeldPool(pools, input.poolId, (directory) => step({ directory, id, input }));
  return {
    name: deleteAction,
    resumesAfterFailure: true,
    needsSlot: () => false,
    phases: () => ['delete'],
    async start(operation, hooks) {
      // Before the first change: a pool that is gone must not look like a file that is gone.
      await pools.use(operation.input.poolId);
      const run = async (progress: Progress): Promise<object> => {
        progress.startPhase('delete', { unit: 'bytes', total: operation.input.file?.sizeBytes ?? 0 });
        await withRemoval(operation, (removal) =>
          removeFile(removal, progress).catch(async (error: unknown) => {
            if (progress.signal.aborted) throw error;
            throw await confirmWorkFailure(error, {
              sourcePath: nameOf(removal),
              poolPath: removal.directory,
            });
          }),
        );
        return {};
      };
      return startWork(hooks, run);
    },
    reconcile: (operation) => withRemoval(operation, reconcileRemoval),
    isPublished: (operation) => withRemoval(operation, isRemoved),
    async complete({ input: { sourceId } }) {
      const query = store.db.deleteFrom('images').where('id', '=', sourceId);
      return { statements: [{ query }], result: { kind: 'image', id: sourceId }, target: null };
    },
    cleanUp: (operation) => withRemoval(operation, undoRemoval),
    retry: ({ input }, request) => requestDeletion(context, { ...request, request: input.request }),
  };
}
