import { ApiError } from '@wcc/api';
import type { VmId } from '@wcc/api';
import type { Principal } from '../../access/principal.ts';
import { can } from '../../access/rules.ts';
import type { Right } from '../../access/rules.ts';
import type { Store } from '../../storage/store.ts';
import { findVm } from './machine-rows.ts';
import type { VmRow } from './machine-rows.ts';

/**
 * The row of a machine on which the principal has the right. A machine that it may not see is `not_found`.
 * @throws ApiError `not_found`, `forbidden`
 */
export async function assertVmRight(
  store: Store,
  principal: Principal,
  { id, right }: { id: VmId; right: Right },
): Promise<VmRow> {
  const row = await findVm(store, id);
  if (row === undefined || row.state === 'abandoned' || !canUseVm(principal, 'vm.list', row))
    throw new ApiError('not_found');
  if (!canUseVm(principal, right, row)) throw new ApiError('forbidden');
  return row;
}

/** Whether the principal has the right on a machine of this owner. */
export function canUseVm(
  principal: Principal,
  right: Right,
  { ownerId }: { ownerId: string | null },
): boolean {
  return can(principal, right, { owner: ownerId });
}

/** @throws ApiError `vm_busy` while an operation uses the machine */
export function assertIdle({ state, operationId }: VmRow): void {
  if (state !== 'ready' || operationId !== null) throw new ApiError('vm_busy');
}
