import { ApiError } from '@wcc/api';
import type { ChangeImageRequest } from '@wcc/api';
import { whoIs } from '../access/principal.ts';
import type { Principal } from '../access/principal.ts';
import { can } from '../access/rules.ts';
import { auditStatement } from '../storage/audit.ts';
import type { WriteStatement } from '../storage/store.ts';
import type { ImagesContext } from './context.ts';
import { readImage } from './image-rows.ts';

/** Marks an image as a template, or takes the mark away. @throws ApiError `not_found`, `forbidden` */
export async function changeImage(
  { store }: ImagesContext,
  principal: Principal,
  { id, body }: { id: number; body: ChangeImageRequest },
): Promise<void> {
  const { owner, rev } = await readImage(store, id);
  if (!can(principal, 'image.change', { owner })) throw new ApiError('forbidden');
  const query = store.db
    .updateTable('images')
    .set({ template: body.template ? 1 : 0, rev: rev + 1 })
    .where('id', '=', id)
    .where('rev', '=', rev);
  await store.write([{ query, expectRows: 1 }, imageAudit(principal, 'image.change', id)]);
}

export function imageAudit(principal: Principal, what: string, id: number): WriteStatement {
  const { address } = principal;
  return auditStatement({ who: whoIs(principal), address, what, subject: `image:${id}`, result: 'ok' });
}
