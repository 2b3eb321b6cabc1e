import { ApiError } from '@wcc/api';
import type { MatchedUpload, MatchUploadInput } from '@wcc/api';
import { partialPath } from '@wcc/copy/receive';
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Principal } from '../access/principal.ts';
import type { UploadsContext } from './context.ts';
import { durableOffset, findUpload } from './find.ts';

/**
 * Checks that a file chosen to resume an upload is the same file. Size and modification time must match, and the
 * samples must equal the bytes received.
 *
 * @throws ApiError `wrong_file` with the difference
 */
export async function matchUpload(
  context: UploadsContext,
  id: string,
  { principal, claim }: { principal: Principal; claim: MatchUploadInput },
): Promise<MatchedUpload> {
  const { live, input } = await findUpload(context, id, { principal, right: 'upload.see' });
  if (live === null) throw new ApiError('upload_gone');
  if (claim.sizeBytes !== input.sizeBytes) {
    throw wrongFile(`It has ${claim.sizeBytes} bytes, but the upload has ${input.sizeBytes}.`);
  }
  if (
    claim.lastModified !== null &&
    input.lastModified !== null &&
    claim.lastModified !== input.lastModified
  ) {
    throw wrongFile('It has changed since the upload started.');
  }
  const offsetBytes = await durableOffset(context, live);
  if (offsetBytes > 0 && claim.samples.length === 0) {
    throw new ApiError('invalid_input', {
      field: 'samples',
      message: 'Send the digests of the samples that the upload names.',
    });
  }
  const { path } = await context.images.pools.use(input.poolId);
  await compareSamples(partialPath(path, id), claim.samples, offsetBytes);
  return { offsetBytes };
}

/** @throws ApiError `wrong_file`; `invalid_input` for a sample beyond the durable bytes */
export async function compareSamples(
  path: string,
  samples: MatchUploadInput['samples'],
  durableBytes: number,
): Promise<void> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    for (const { offsetBytes, lengthBytes, sha256 } of samples) {
      if (offsetBytes + lengthBytes > durableBytes) {
        const message = `Only ${durableBytes} bytes have been received.`;
        throw new ApiError('invalid_input', { field: 'samples', message });
      }
      const buffer = Buffer.alloc(lengthBytes);
      await handle.read(buffer, 0, lengthBytes, offsetBytes);
      const isEqual = createHash('sha256').update(buffer).digest('hex') === sha256;
      if (!isEqual) throw wrongFile(`Its content differs at byte ${offsetBytes}.`);
    }
  } finally {
    await handle.close();
  }
}

function wrongFile(message: string): ApiError {
  return new ApiError('wrong_file', { message });
}
