import type { Action, OperationView } from '../../operations/action.ts';
import type { Progress } from '../../operations/work.ts';
import { startWork } from '../../operations/work.ts';
import type { ImagesContext } from '../context.ts';
import { deleteAction } from './input.ts';
import type { DeleteInput } from './input.ts';
import { nameOf, removeFile, reconcileRemoval, undoRemoval } from './remove.ts';
import type { Removal } from './remove.ts';
import { requestDeletion } from './request.ts';

/** `delete_image`: removes the name of the file, frees its blocks, and deletes its record. */
export function createDeleteAction(context: ImagesContext): Action<DeleteInput> {
  const { store, pools } = context;
  const removalOf = async ({ id, input }: OperationView<DeleteInput>): Promise<Removal> => ({
    directory: (await pools.use(input.poolId)).path,
    id,
    input,
  });
  return {
    name: deleteAction,
    needsSlot: () => false,
    phases: () => ['delete'],
    async start(operation, hooks) {
      const removal = await removalOf(operation);
      const run = async (progress: Progress): Promise<object> => {
        progress.startPhase('delete', { unit: 'bytes', total: removal.input.file?.sizeBytes ?? 0 });
        await removeFile(removal, progress);
        return {};
      };
      return startWork(hooks, run, { sourcePath: nameOf(removal), poolPath: removal.directory });
    },
    reconcile: async (operation) => reconcileRemoval(await removalOf(operation)),
    async complete({ input: { sourceId } }) {
      const query = store.db.deleteFrom('images').where('id', '=', sourceId);
      return { statements: [{ query }], result: { kind: 'image', id: sourceId }, target: null };
    },
    cleanUp: async (operation) => undoRemoval(await removalOf(operation)),
    retry: ({ input }, request) => requestDeletion(context, { ...request, request: input.request }),
  };
}
