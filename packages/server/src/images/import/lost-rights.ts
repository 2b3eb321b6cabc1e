import { isTerminal } from '@wcc/progress';
import type { UserId } from '@wcc/api';
import { can } from '../../access/rules.ts';
import { serverPrincipal } from '../../access/server-principal.ts';
import type { ImagesContext } from '../context.ts';
import { importAction } from './input.ts';

/**
 * Cancels the imports of a user who is disabled or may no longer import. An import holds a connection that the server
 * opened for its user, so it ends with the right. A session may end, because an import outlives it. Call this after
 * each change of a user, and after each acceptance, which the change may have overtaken.
 */
export async function cancelLostImports(
  { store, hub, operations }: Pick<ImagesContext, 'store' | 'hub' | 'operations'>,
  userId: UserId,
): Promise<void> {
  const query = store.db.selectFrom('users').select(['role', 'disabled']).where('id', '=', userId);
  const user = await query.executeTakeFirst();
  // The administrator's token belongs to no user.
  if (user === undefined) return;
  if (user.disabled === 0 && can({ ...serverPrincipal, role: user.role }, 'image.import')) return;
  const lost = [...hub.list()].filter(
    ({ action, owner, state }) => action === importAction && owner === userId && !isTerminal(state),
  );
  await Promise.all(lost.map(({ id }) => operations.cancel(id, serverPrincipal)));
}
