import type { ImageFormat } from '@wcc/api';
import { explainRefusal, judgeContent } from '@wcc/api/content';
import { CliError } from '../runtime/errors.ts';
import type { LocalFile } from './local-file.ts';

/**
 * Judges a file before its first byte is sent, as the server does afterwards.
 * @throws CliError with the code that the server would answer
 */
export async function assertImage(file: LocalFile, declared: ImageFormat | undefined): Promise<void> {
  const read = (offsetBytes: number, lengthBytes: number): Promise<Uint8Array> =>
    file.readRange(offsetBytes, lengthBytes);
  const found = await judgeContent({ sizeBytes: file.sizeBytes, read }, { declared });
  if (!('refusal' in found)) return;
  const { message, hint } = explainRefusal(found.refusal);
  throw new CliError('failed', `${message} Nothing was sent.`, { code: found.refusal.code, hint });
}
