import { findImageNameProblem } from '@wcc/api';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { CliError, onLocalFile } from '../runtime/errors.ts';

/**
 * The file for an image whose user named none: the image's name, in the current directory. The name comes from the
 * server, which must not choose another place.
 *
 * @throws CliError `local_file`
 */
export function defaultTargetFile({ id, name }: { id: number; name: string }): string {
  if (name === basename(name) && findImageNameProblem(name) === null) return name;
  throw new CliError('local_file', `The name of image ${id} is not a plain file name.`, {
    code: 'invalid_name',
    hint: `Name the file: wcc image download ${id} FILE`,
  });
}

/**
 * Checks the target before the first request. A device or another special file is never replaced.
 * @throws CliError `local_file`, also for a path that cannot be a file
 */
export async function assertTargetFile(path: string, { mayReplace }: { mayReplace: boolean }): Promise<void> {
  const stats = await onLocalFile(() => stat(path).catch(orMissing));
  if (stats === null) return;
  if (!stats.isFile())
    throw new CliError('local_file', `${path} is not a regular file.`, { code: 'not_regular' });
  if (mayReplace) return;
  throw new CliError('local_file', `${path} already exists.`, {
    code: 'exists',
    hint: 'Choose another file, or add --force.',
  });
}

function orMissing(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null;
  throw error;
}
