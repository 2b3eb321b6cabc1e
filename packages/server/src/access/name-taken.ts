import { ApiError } from '@wcc/api';
import type { ErrorCode } from '@wcc/api';
import { uniqueColumnsOf } from '../storage/errors.ts';

/** The unique columns that hold names which a request chooses. */
const takenNames: Readonly<Record<string, { code: ErrorCode; message?: string }>> = {
  'nameReservations.poolId, nameReservations.name': { code: 'exists' },
  'images.poolId, images.name': { code: 'exists' },
  'users.name': { code: 'exists', message: 'A user of this name exists.' },
  'vms.name': { code: 'vm_name_taken' },
};

/**
 * The refusal of a name that another request took first: the look before the write could not see it. Returns every other
 * error unchanged.
 */
export function toNameTaken(error: unknown): unknown {
  const taken = takenNames[uniqueColumnsOf(error) ?? ''];
  if (taken === undefined) return error;
  const { code, message } = taken;
  return new ApiError(code, { field: 'name', cause: error, ...(message === undefined ? {} : { message }) });
}
