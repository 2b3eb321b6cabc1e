import type { Snapshot } from '@wcc/progress';
import type { Action, OperationView, RetryRequest } from '../../operations/action.ts';
import type { ImagesContext } from '../context.ts';
import { startWork } from '../../operations/work.ts';
import type { Progress } from '../../operations/work.ts';
import type { DeleteInput } from './input.ts';
import { nameOf, removeFile, settleRemoval, undoRemoval } from './remove.ts';
import type { Place } from './remove.ts';

/** `delete_image`: the file loses its name, gives its blocks back, and its record goes. */
export function createDeleteAction(
  context: ImagesContext,
  retry: (input: DeleteInput, request: RetryRequest & { retryOf: string }) => Promise<Snapshot>,
): Action {
  const { store, pools } = context;
  const input = (operation: OperationView): DeleteInput => operation.input as DeleteInput;
  const placeOf = async (operation: OperationView): Promise<Place> => {
    const { path: directory } = await pools.use(operation.input.poolId);
    return { directory, id: operation.id, input: input(operation) };
  };
  return {
    name: 'delete_image',
    waitsInLine: false,
    phases: () => ['delete'],
    async start(operation, hooks) {
      const place = await placeOf(operation);
      const run = async (progress: Progress): Promise<object> => {
        progress.startPhase('delete', { unit: 'bytes', total: place.input.file?.sizeBytes ?? 0 });
        await removeFile(place, progress);
        return {};
      };
      return startWork(hooks, run, { sourcePath: nameOf(place), poolPath: place.directory });
    },
    settle: async (operation) => settleRemoval(await placeOf(operation)),
    durable: () => Promise.resolve(null),
    complete(operation) {
      const { sourceId } = input(operation);
      const query = store.db.deleteFrom('images').where('id', '=', sourceId);
      const result = { kind: 'image', id: sourceId };
      return Promise.resolve({ statements: [{ query }], result, target: null });
    },
    room: () => Promise.resolve({ needsBytes: 0, freeBytes: 0 }),
    clean: async (operation) => undoRemoval(await placeOf(operation)),
    forget: () => Promise.resolve(),
    retry: (operation, request) => retry(input(operation), { ...request, retryOf: operation.id }),
  };
}
