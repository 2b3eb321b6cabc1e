import type { MatchUploadRequest, Upload } from '@wcc/api';
import { ApiProblem } from '@wcc/api/client';
import { CliError } from '../runtime/errors.ts';
import type { Server } from '../server/server.ts';
import type { LocalFile } from './local-file.ts';
import type { UploadTarget } from './tus.ts';

/**
 * An upload of this name that was begun before, when this is the same file: proven by the ranges that the
 * server names. @throws CliError when it is another file's
 */
export async function findUnfinished(
  server: Server,
  file: LocalFile,
  target: UploadTarget,
): Promise<Upload | null> {
  const { items } = await server.api.uploads();
  const begun = items.find(
    ({ name, pool }) => name === target.name && (target.pool === undefined || pool === target.pool),
  );
  if (begun === undefined) return null;
  try {
    await server.api.matchUpload(begun.id, await proofOf(file, begun));
    return begun;
  } catch (error) {
    if (error instanceof ApiProblem && (error.status === 404 || error.status === 410)) return null;
    if (!(error instanceof ApiProblem) || error.code !== 'wrong_file') throw error;
    throw new CliError(
      'failed',
      `An upload of "${target.name}" was begun with another file. ${error.message}`,
      {
        code: error.code,
        hint: 'Send that file, use another --name, or throw away what was sent: --restart',
        cause: error,
      },
    );
  }
}

async function proofOf(file: LocalFile, { samples }: Upload): Promise<MatchUploadRequest> {
  const proof: MatchUploadRequest = { sizeBytes: file.sizeBytes, lastModified: file.modifiedMs, samples: [] };
  for (const { offsetBytes, lengthBytes } of samples) {
    // A file that is shorter has another digest there, which is all that counts.
    const sha256 = await file.digest(offsetBytes, lengthBytes);
    proof.samples.push({ offsetBytes, lengthBytes, sha256 });
  }
  return proof;
}
