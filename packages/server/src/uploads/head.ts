import { ApiError } from '@wcc/api';
import type { Snapshot } from '@wcc/progress';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DrivenOperation } from '../operations/client-driven.ts';
import { scratchOf } from './context.ts';
import type { UploadsContext } from './context.ts';
import { expiresHeader } from './expire.ts';
import { durableOffset, findUpload } from './find.ts';
import type { TusAnswer, TusRequest } from './headers.ts';
import type { UploadInput } from './upload.ts';

/** tus, "HEAD": the durable offset. Never disturbs a request that is sending. */
export async function headUpload(
  context: UploadsContext,
  id: string,
  request: TusRequest,
): Promise<TusAnswer> {
  const { principal } = request;
  const found = await findUpload(context, id, { principal, right: 'upload.see' });
  const { live, input } = found;
  if (live === null) return answer(input, offsetOfEnd(input, found.ended));
  // A client that reconnects asks for the offset first. Before the answer, its lost request completes its last
  // sync.
  const session = context.sessions.get(id);
  if (session?.sender?.isDraining === true) await session.drained();
  const offsetBytes = await durableOffset(context, live);
  if (offsetBytes === input.sizeBytes)
    return answer(input, offsetOfEnd(input, await waitForEnd(context, live)));
  scratchOf(context, id).answeredAtMs = context.clock.monotonicMs();
  return answer(input, offsetBytes, await expiresHeader(context, live, { offsetBytes }));
}

function answer(input: UploadInput, offsetBytes: number, headers: Record<string, string> = {}): TusAnswer {
  return {
    status: 200,
    headers: {
      // The Server MUST include Upload-Offset, also when it is 0, Upload-Length when it is known, and
      // Upload-Metadata as the Client specified it. Every answer of the API has Cache-Control: no-store.
      'upload-offset': String(offsetBytes),
      'upload-length': String(input.sizeBytes),
      ...(input.metadata === '' ? {} : { 'upload-metadata': input.metadata }),
      ...headers,
    },
  };
}

/** If the resource no longer exists, the Server SHOULD answer 404 or 410, without Upload-Offset. */
function offsetOfEnd({ sizeBytes }: UploadInput, { state }: Pick<Snapshot, 'state'>): number {
  if (state === 'succeeded') return sizeBytes;
  throw new ApiError('upload_gone', { message: `The upload was ${state}.` });
}

/** Below the usual timeout of proxies. */
const maxWaitMs = 25_000;

/**
 * A complete offset means success to a client, so the answer waits until the file is published or rejected.
 */
async function waitForEnd({ images }: UploadsContext, live: DrivenOperation): Promise<Snapshot> {
  const { clientDriven: driving } = images.operations;
  if (live.work === null) await driving.start(live.id).catch(() => {});
  const isOver = new AbortController();
  const snapshot = await Promise.race([
    driving.whenSettled(live.id),
    sleep(maxWaitMs, null, { signal: isOver.signal, ref: false }).catch(() => null),
  ]).finally(() => isOver.abort());
  if (snapshot !== null && images.operations.clientDriven.find(live.record.action, live.id) === null)
    return snapshot;
  throw new ApiError('upload_locked', {
    message: 'The complete file is still being checked.',
    retryAfterS: 5,
  });
}
