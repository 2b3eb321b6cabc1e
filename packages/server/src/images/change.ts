import type { ChangeImageRequest, ImageId } from '@wcc/api';
import { audit } from '../access/audit.ts';
import type { Principal } from '../access/principal.ts';
import { assertRight } from '../access/rules.ts';
import type { ImagesContext } from './context.ts';
import { readImage } from './image-rows.ts';

/** Marks an image as a template, or takes the mark away. @throws ApiError `not_found`, `forbidden` */
export async function changeImage(
  { store }: ImagesContext,
  principal: Principal,
  { id, body }: { id: ImageId; body: ChangeImageRequest },
): Promise<void> {
  const { owner, rev } = await readImage(store, id);
  assertRight(principal, 'image.change', { owner });
  const query = store.db
    .updateTable('images')
    .set({ template: body.template ? 1 : 0, rev: rev + 1 })
    .where('id', '=', id)
    .where('rev', '=', rev);
  await store.write([{ query, expectRows: 1 }, audit(principal, 'image.change', `image:${id}`)]);
}
