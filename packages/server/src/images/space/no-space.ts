import { ApiError } from '@wcc/api';
import { formatBytes } from '@wcc/progress';

/** The refusal names its numbers. */
export function noSpace(needsBytes: number, freeBytes: number): ApiError {
  const message = `Needs ${formatBytes(needsBytes)}, ${formatBytes(freeBytes)} free.`;
  return new ApiError('no_space', { message });
}
