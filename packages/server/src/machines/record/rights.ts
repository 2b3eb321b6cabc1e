import { ApiError } from '@wcc/api';
import type { Principal } from '../../access/principal.ts';
import { can } from '../../access/rules.ts';
import type { Right } from '../../access/rules.ts';
import type { Store } from '../../storage/store.ts';
import { findVm } from './machine-rows.ts';
import type { VmRow } from './machine-rows.ts';

/**
 * A machine that the principal may see, when it has the right on it. Unknown and invisible are the same.
 * @throws ApiError `not_found`, `forbidden`
 */
export async function assertVmRight(
  store: Store,
  principal: Principal,
  { id, right }: { id: number; right: Right },
): Promise<VmRow> {
  const row = await findVm(store, id);
  if (row === undefined || row.state === 'abandoned' || !canUseVm(principal, 'vm.list', row))
    throw new ApiError('not_found');
  if (!canUseVm(principal, right, row)) throw new ApiError('forbidden');
  return row;
}

export function canUseVm(
  principal: Principal,
  right: Right,
  { ownerId }: { ownerId: string | null },
): boolean {
  return can(principal, right, { owner: ownerId });
}

/** @throws ApiError `vm_busy` while an operation works on it */
export function assertIdle({ state, operationId }: VmRow): void {
  if (state !== 'ready' || operationId !== null) throw new ApiError('vm_busy');
}
