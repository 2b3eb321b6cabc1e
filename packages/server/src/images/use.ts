import { ApiError } from '@wcc/api';
import type { ImageId } from '@wcc/api';
import type { ImagesContext } from './context.ts';

type UseContext = Pick<ImagesContext, 'store' | 'references' | 'imageMutex'>;

/**
 * Runs `use` while no request can begin to delete these images: the acceptance of an operation that needs them, or
 * the change of a machine that does. A deletion is accepted under the same mutexes, so only one of both happens.
 *
 * @throws ApiError `image_unavailable` for an image that is not ready, or is being deleted
 */
export function whileUsable<Result>(
  context: UseContext,
  ids: readonly ImageId[],
  use: () => Promise<Result>,
): Promise<Result> {
  return exclusively(context, ids, async () => {
    await assertNotDeleting(context, ids);
    // An empty set would read all rows.
    if (ids.length === 0) return use();
    const ready = await context.store.db
      .selectFrom('images')
      .select('id')
      .where('id', 'in', ids)
      .where('state', '=', 'ready')
      .execute();
    if (ready.length < new Set(ids).size) throw gone('The image was deleted, or its file is missing.');
    return use();
  });
}

/** Runs `work` while no other request uses, changes or deletes these images. */
export function exclusively<Result>(
  { imageMutex }: Pick<ImagesContext, 'imageMutex'>,
  ids: readonly ImageId[],
  work: () => Promise<Result>,
): Promise<Result> {
  // In one order for all callers, so that two of them never wait for each other.
  const ordered = [...new Set(ids)].toSorted((a, b) => b - a);
  let nested = work;
  for (const id of ordered) {
    const inner = nested;
    nested = () => imageMutex(String(id))(inner);
  }
  return nested();
}

/** @throws ApiError `image_unavailable` */
export async function assertNotDeleting(
  { references }: Pick<ImagesContext, 'references'>,
  ids: readonly ImageId[],
): Promise<void> {
  if (ids.length === 0) return;
  const deletions = await references.deletions();
  if (ids.some((id) => deletions.has(id))) throw gone('The image is being deleted.');
}

function gone(message: string): ApiError {
  return new ApiError('image_unavailable', { message, hint: 'Choose another image.' });
}
