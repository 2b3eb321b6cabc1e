import { isSameName } from '@wcc/api';
import type { MatchUploadRequest, Upload } from '@wcc/api';
import { ApiProblem } from '@wcc/api/client';
import { CliError } from '../runtime/errors.ts';
import type { Server } from '../server/server.ts';
import type { LocalFile } from './local-file.ts';
import type { UploadTarget } from './tus.ts';

/** The unfinished uploads of this name in any Unicode spelling; of all pools if the target names none. */
export async function listUnfinished({ api }: Server, { name, pool }: UploadTarget): Promise<Upload[]> {
  const { items } = await api.uploads();
  return items.filter((item) => isSameName(item.name, name) && (pool === undefined || item.pool === pool));
}

/**
 * Finds an unfinished upload of this name. Proves by digests of the server's sample ranges that the file is the same.
 *
 * @throws CliError if the upload is of another file
 */
export async function findUnfinished(
  server: Server,
  file: LocalFile,
  target: UploadTarget,
): Promise<Upload | null> {
  const [unfinished] = await listUnfinished(server, target);
  if (unfinished === undefined) return null;
  try {
    await server.api.matchUpload(unfinished.id, await proofOf(file, unfinished));
    return unfinished;
  } catch (error) {
    if (error instanceof ApiProblem && (error.status === 404 || error.status === 410)) return null;
    if (!(error instanceof ApiProblem) || error.code !== 'wrong_file') throw error;
    throw new CliError(
      'failed',
      `The unfinished upload of "${target.name}" is of another file. ${error.message}`,
      {
        code: error.code,
        hint: 'Upload that file, use another --name, or discard the unfinished upload with --restart.',
        cause: error,
      },
    );
  }
}

async function proofOf(file: LocalFile, { samples }: Upload): Promise<MatchUploadRequest> {
  const proof: MatchUploadRequest = { sizeBytes: file.sizeBytes, lastModified: file.modifiedMs, samples: [] };
  for (const { offsetBytes, lengthBytes } of samples) {
    // A shorter file gives another digest, so the comparison fails as intended.
    const sha256 = await file.digest(offsetBytes, lengthBytes);
    proof.samples.push({ offsetBytes, lengthBytes, sha256 });
  }
  return proof;
}
