import { ApiError } from '@wcc/api';
import type { Upload, UploadList, UploadSample } from '@wcc/api';
import type { Principal } from '../access/principal.ts';
import { assertRight, can } from '../access/rules.ts';
import type { DrivenOperation } from '../operations/client-driven.ts';
import type { UploadsContext } from './context.ts';
import { expiresAtMs } from './expire.ts';
import { durableOffset, findUpload } from './find.ts';
import { uploadAction } from './upload.ts';
import type { UploadInput } from './upload.ts';

/** The unfinished uploads, so that a client that has lost its state can resume them. */
export async function listUploads(
  context: UploadsContext,
  principal: Principal,
  owner: 'me' | 'all',
): Promise<UploadList> {
  // A principal who may send no upload gets an empty list; one without lists of operations gets none.
  assertRight(principal, 'operation.list');
  if (owner === 'all') assertRight(principal, 'upload.see', { owner: null });
  const open = context.images.operations.clientDriven
    .all(uploadAction)
    .filter(({ record }) => record.state !== 'cancelling')
    .filter(({ record }) => owner === 'all' || record.owner === principal.userId)
    .filter(({ record }) => can(principal, 'upload.see', { owner: record.owner }));
  return { items: await Promise.all(open.map((live) => describe(context, live))) };
}

/** @throws ApiError `not_found`; `upload_gone` if it has ended */
export async function getUpload(context: UploadsContext, principal: Principal, id: string): Promise<Upload> {
  const { live } = await findUpload(context, id, { principal, right: 'upload.see' });
  if (live === null) throw new ApiError('upload_gone');
  return describe(context, live);
}

async function describe(context: UploadsContext, live: DrivenOperation): Promise<Upload> {
  const { targetName, sizeBytes, poolId, lastModified } = live.input as UploadInput;
  const offsetBytes = await durableOffset(context, live);
  return {
    id: live.id,
    name: targetName,
    sizeBytes,
    offsetBytes,
    pool: poolId,
    createdAt: live.record.createdAt,
    expiresAt: new Date(await expiresAtMs(context, live, { offsetBytes })).toISOString(),
    lastModified,
    samples: samplesOf(offsetBytes),
  };
}

const sampleBytes = 65_536;

/** Up to three ranges below the durable offset: at the beginning, in the middle and at the end. */
export function samplesOf(offsetBytes: number): UploadSample[] {
  if (offsetBytes === 0) return [];
  const lengthBytes = Math.min(sampleBytes, offsetBytes);
  const last = offsetBytes - lengthBytes;
  const starts = new Set([0, Math.floor(last / 2), last]);
  return [...starts].map((start) => ({ offsetBytes: start, lengthBytes }));
}
