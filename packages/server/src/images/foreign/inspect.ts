import { ApiError } from '@wcc/api';
import type { ImageFormat } from '@wcc/api';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { hasErrorCode } from '../../files/errors.ts';
import { assertIsoLength } from './iso.ts';
import { parseQcow2Header, headerReadBytes } from './qcow2-header.ts';
import { assertSoundQcow2, infoQcow2 } from './qemu-img.ts';
import type { ToolOptions } from './qemu-img.ts';
import { isoDescriptorOffset } from '../scan/recognise.ts';
import { endLengths, recogniseForeign } from './signatures.ts';
import { assertNotTooLarge } from './too-large.ts';

export interface InspectOptions extends ToolOptions {
  /** The declared format. The content decides; a contradiction is refused. */
  believed?: ImageFormat | undefined;
  /** @default no limit, for files that are in a pool already */
  maxVirtualSizeBytes?: number | undefined;
}

export interface Inspected {
  format: ImageFormat;
  virtualSizeBytes: number;
}

/**
 * Inspects a file from outside before it is used as an image. The file is untrusted until this returns: its
 * header may name files of this host, which programs would open. So this function checks the header first. Only
 * a qcow2 file with a harmless header is passed to `qemu-img`, with its format.
 *
 * @throws ApiError `hostile_image`, `image_too_large`, `unsupported_format`, `tool_missing`, `not_regular`
 */
export async function inspectForeign(path: string, options: InspectOptions = {}): Promise<Inspected> {
  const file = await openSafely(path);
  try {
    const found = await inspectOpen(file, options);
    const { believed } = options;
    if (believed === undefined || believed === found.format) return found;
    const message = `The content is ${found.format}, not ${believed}.`;
    const hint = `Declare the format ${found.format}, or send another file.`;
    throw new ApiError('unsupported_format', { field: 'format', message, hint });
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

async function inspectOpen(file: FileHandle, options: InspectOptions): Promise<Inspected> {
  const { maxVirtualSizeBytes = Number.MAX_SAFE_INTEGER } = options;
  const { size: fileBytes } = await file.stat();
  const kind = recogniseForeign({
    head: await readAt(file, 0, endLengths.head),
    descriptor: await readAt(file, isoDescriptorOffset, endLengths.descriptor),
    tail: await readAt(file, Math.max(0, fileBytes - endLengths.tail), endLengths.tail),
  });
  if (typeof kind === 'object') {
    const message = `This is a ${kind.name} file, which cannot be used as an image.`;
    throw new ApiError('unsupported_format', { message, hint: kind.hint });
  }
  if (kind === 'qcow2') {
    const { virtualSizeBytes } = await inspectQcow2(file, options);
    return { format: 'qcow2', virtualSizeBytes };
  }
  assertNotTooLarge(fileBytes, maxVirtualSizeBytes);
  if (kind === 'iso') assertIsoLength(await readAt(file, isoDescriptorOffset - 1, 2048), fileBytes);
  return { format: kind === 'iso' ? 'iso' : 'raw', virtualSizeBytes: fileBytes };
}

/** Facts of a qcow2 image. */
export interface Qcow2Facts {
  virtualSizeBytes: number;
  /** Bytes of guest data, without holes. */
  allocatedBytes: number;
}

/**
 * Checks the header, then runs `qemu-img info` and `check`.
 * @throws ApiError `hostile_image`, `image_too_large`, `unsupported_format`, `tool_missing`
 */
export async function inspectQcow2(file: FileHandle, options: InspectOptions): Promise<Qcow2Facts> {
  const { maxVirtualSizeBytes = Number.MAX_SAFE_INTEGER } = options;
  const { size: fileBytes } = await file.stat();
  const head = await readAt(file, 0, headerReadBytes);
  const { virtualSizeBytes, clusterBytes } = parseQcow2Header(head, { fileBytes, maxVirtualSizeBytes });
  const reported = await infoQcow2(file.fd, options);
  if (reported !== virtualSizeBytes)
    throw new ApiError('hostile_image', {
      message: 'The header and qemu-img report different virtual sizes.',
    });
  const { allocatedBytes } = await assertSoundQcow2(file.fd, { fileBytes, clusterBytes }, options);
  return { virtualSizeBytes, allocatedBytes: Math.min(allocatedBytes, virtualSizeBytes) };
}

/** Shorter if the file ends earlier. */
async function readAt(file: FileHandle, offset: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(bytes, filled, length - filled, offset + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}
