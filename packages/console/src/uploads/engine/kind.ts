import type { ImageFormat } from '@wcc/api';
import type { ContentRemark, RefusalText } from '@wcc/api/content';
import { readSlice } from './local-file.ts';
import type { LocalFile } from './local-file.ts';

/** What a file is, by the judgement that the server has too. */
export interface FileKind {
  /** Null: the file is refused. */
  format: ImageFormat | null;
  /** Why it is refused, in each language. */
  refusal: Record<'en' | 'ja', RefusalText> | null;
  remarks: readonly ContentRemark[];
}

/**
 * Judges a file before its upload starts. The server judges it again.
 *
 * @throws {FileReadError} when the file cannot be read
 */
export async function detectKind(file: LocalFile): Promise<FileKind> {
  const { judgeContent, explainRefusal, refusalText } = await import('@wcc/api/content');
  const read = async (offset: number, lengthBytes: number): Promise<Uint8Array> => {
    const start = Math.min(offset, file.size);
    return new Uint8Array(await readSlice(file, start, Math.min(start + lengthBytes, file.size)));
  };
  const found = await judgeContent({ sizeBytes: file.size, read }, { name: file.name });
  if (!('refusal' in found)) return { format: found.format, refusal: null, remarks: found.remarks };
  const en = explainRefusal(found.refusal);
  const refusal = { en, ja: refusalText(found.refusal.reason, 'ja') ?? en };
  return { format: null, refusal, remarks: [] };
}
