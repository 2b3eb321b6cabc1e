import { ApiError } from '@wcc/api';
import { CopyError } from '@wcc/copy';
import { hasErrorCode } from './errors.ts';

/**
 * Runs a step that writes to the data directory.
 * @throws ApiError `data_dir_unavailable` if a directory is missing there; other errors pass through
 */
export async function inDataDirectory<Result>(step: () => Promise<Result>): Promise<Result> {
  try {
    return await step();
  } catch (error) {
    const isMissing = ['ENOENT', 'ENOTDIR'].some((code) => hasErrorCode(error, code));
    if (!isMissing && !(error instanceof CopyError && error.code === 'not_found')) throw error;
    throw new ApiError('data_dir_unavailable', { cause: error });
  }
}
