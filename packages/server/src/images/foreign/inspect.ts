import { ApiError } from '@wcc/api';
import type { ImageFormat } from '@wcc/api';
import type { AcceptedContent, ContentRemark, Qcow2Header } from '@wcc/api/content';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { hasErrorCode } from '../../files/errors.ts';
import { judgeFile, refusalError } from './judge-file.ts';
import { assertSoundQcow2, infoQcow2 } from './qemu-img.ts';
import type { ToolOptions } from './qemu-img.ts';

export interface InspectOptions extends ToolOptions {
  /** The declared format. The content decides; a contradiction is refused. */
  believed?: ImageFormat | undefined;
  /** @default no limit, for files that are in a pool already */
  maxVirtualSizeBytes?: number | undefined;
}

export interface ForeignOptions extends InspectOptions {
  /** The name of the image, for remarks. */
  name: string;
}

export interface Inspected {
  format: ImageFormat;
  virtualSizeBytes: number;
  /** Warnings for the operation. */
  remarks: readonly ContentRemark[];
}

/**
 * Inspects a file from outside before it is used as an image. The file is untrusted until this returns: its
 * header may name files of this host, which programs would open. So this function checks the header first. Only
 * a qcow2 file with a harmless header is passed to `qemu-img`, with its format.
 *
 * @throws ApiError with a code of `@wcc/api/content`; `tool_missing`, `not_regular`
 */
export async function inspectForeign(path: string, options: ForeignOptions): Promise<Inspected> {
  const file = await openSafely(path);
  try {
    return await inspectOpen(file, options);
  } finally {
    await file.close();
  }
}

/** Never follows a symlink, never waits for the writer of a FIFO. @throws ApiError `not_regular` */
export async function openSafely(path: string): Promise<FileHandle> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(path, flags).catch((cause: unknown) => {
    throw hasErrorCode(cause, 'ELOOP') ? new ApiError('not_regular', { cause }) : cause;
  });
  const stat = await file.stat();
  if (stat.isFile()) return file;
  await file.close();
  throw new ApiError('not_regular');
}

async function inspectOpen(file: FileHandle, options: ForeignOptions): Promise<Inspected> {
  const { format, virtualSizeBytes, qcow2, remarks } = await judgeOrRefuse(file, options);
  if (qcow2 !== null) await checkQcow2(file, qcow2, options);
  return { format, virtualSizeBytes, remarks };
}

async function judgeOrRefuse(
  file: FileHandle,
  options: InspectOptions & Partial<ForeignOptions>,
): Promise<AcceptedContent> {
  const { maxVirtualSizeBytes, believed, name } = options;
  const found = await judgeFile(file, { declared: believed, name, maxVirtualSizeBytes });
  if (!('refusal' in found)) return found;
  throw refusalError(found.refusal);
}

/** Facts of a qcow2 image. */
export interface Qcow2Facts {
  virtualSizeBytes: number;
  /** Bytes of guest data, without holes. */
  allocatedBytes: number;
  /** Internal snapshots. */
  snapshots: number;
}

/**
 * Checks the header, then runs `qemu-img info` and `check`.
 * @throws ApiError with a code of `@wcc/api/content`; `tool_missing`
 */
export async function inspectQcow2(file: FileHandle, options: InspectOptions): Promise<Qcow2Facts> {
  const { qcow2 } = await judgeOrRefuse(file, { ...options, believed: 'qcow2' });
  if (qcow2 === null) throw new ApiError('unsupported_format');
  return checkQcow2(file, qcow2, options);
}

/** Runs programs on a file whose header was judged. */
async function checkQcow2(
  file: FileHandle,
  { virtualSizeBytes, clusterBytes, snapshots }: Qcow2Header,
  options: InspectOptions,
): Promise<Qcow2Facts> {
  const { size: fileBytes } = await file.stat();
  const reported = await infoQcow2(file, options);
  if (reported !== virtualSizeBytes)
    throw new ApiError('damaged_image', {
      message: 'The header and qemu-img report different virtual sizes.',
    });
  const { allocatedBytes } = await assertSoundQcow2(file, { fileBytes, clusterBytes }, options);
  return { virtualSizeBytes, allocatedBytes: Math.min(allocatedBytes, virtualSizeBytes), snapshots };
}
