import { ApiError } from '@wcc/api';
import { explainRefusal, judgeContent, judgeHead } from '@wcc/api/content';
import type { ContentRefusal, JudgeOptions, Judgement } from '@wcc/api/content';
import type { FileHandle } from 'node:fs/promises';
import { tooLarge } from './too-large.ts';

/** Judges an open file by its first and last bytes. Runs no program. */
export async function judgeFile(file: FileHandle, options: JudgeOptions): Promise<Judgement> {
  const { size: sizeBytes } = await file.stat();
  return judgeContent(
    { sizeBytes, read: (offset, lengthBytes) => readAt(file, offset, lengthBytes) },
    options,
  );
}

/** The error of a refusal, with its exact message. */
export function refusalError(refusal: ContentRefusal): ApiError {
  if (refusal.tooLarge !== undefined)
    return tooLarge(refusal.tooLarge.sizeBytes, refusal.tooLarge.limitBytes);
  const { message, hint } = explainRefusal(refusal);
  const field = refusal.reason === 'other_format' ? { field: 'format' } : {};
  return new ApiError(refusal.code, { message, hint, ...field });
}

/** @throws ApiError `not_an_image` for a length of 0, before any byte is there */
export function assertNotEmpty(sizeBytes: number): void {
  const refusal = judgeHead(new Uint8Array(), { sizeBytes });
  if (refusal !== null) throw refusalError(refusal);
}

/** Shorter if the file ends earlier. */
async function readAt(file: FileHandle, offset: number, lengthBytes: number): Promise<Buffer> {
  const bytes = Buffer.alloc(lengthBytes);
  let filled = 0;
  while (filled < lengthBytes) {
    const { bytesRead } = await file.read(bytes, filled, lengthBytes - filled, offset + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}
