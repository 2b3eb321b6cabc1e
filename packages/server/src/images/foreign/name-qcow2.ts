import { headBytes, judgeHead } from '@wcc/api/content';
import type { FileHandle } from 'node:fs/promises';
import { inheritedPath } from '../tools/spawn-tool.ts';
import { refusalError } from './judge-file.ts';

export interface NameOptions {
  /** The base of an overlay, whose name the header may have. @default none: the file must stand alone */
  baseName?: string | undefined;
  /** The position of the file among the descriptors of the program. @default 0 */
  index?: number;
}

/**
 * The only way to name a qcow2 file to `qemu-img`. The header is judged now, because the file may have changed since an
 * earlier judgement. The program gets the open file and no base, so it opens nothing that the header names.
 *
 * @returns the argument of the program
 * @throws ApiError with a code of `@wcc/api/content`
 */
export async function nameQcow2(
  file: FileHandle,
  { baseName, index = 0 }: NameOptions = {},
): Promise<string> {
  const { size: sizeBytes } = await file.stat();
  const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0);
  const refusal = judgeHead(buffer.subarray(0, bytesRead), { sizeBytes, declared: 'qcow2', baseName });
  if (refusal !== null) throw refusalError(refusal);
  const open = { driver: 'file', filename: inheritedPath(index) };
  return `json:${JSON.stringify({ driver: 'qcow2', file: open, backing: null })}`;
}
