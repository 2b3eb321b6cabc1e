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
  /** What whoever brought the file says it is; the content decides, and a contradiction is refused. */
  believed?: ImageFormat | undefined;
  /** @default as much as can be counted: for what is in a pool already */
  maxVirtualSizeBytes?: number | undefined;
}

export interface Inspected {
  format: ImageFormat;
  virtualSizeBytes: number;
}

/**
 * Says what a file is that came from elsewhere, before anybody uses it as an image. Such a file is hostile until
 * this has returned: its header may name files of this host, which programs would open. So its bytes are read
 * here first; only a qcow2 file whose header is harmless is shown to `qemu-img`, as qcow2 and nothing else.
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
    const hint = `Call it ${found.format}, or send another file.`;
    throw new ApiError('unsupported_format', { field: 'format', message, hint });
  } finally {
    await file.close();
  }
}

/** Never follows a symlink, never waits for the other end of a FIFO. @throws ApiError `not_regular` */
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
    const message = `This is a ${kind.name} file: it cannot be used as an image as it is.`;
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

/** What is to be known of a qcow2 image before it is used or converted. */
export interface Qcow2Facts {
  virtualSizeBytes: number;
  /** Guest data that exists. */
  allocatedBytes: number;
}

/**
 * Header first, then `qemu-img info` and `check`.
 * @throws ApiError `hostile_image`, `image_too_large`, `unsupported_format`, `tool_missing`
 */
export async function inspectQcow2(file: FileHandle, options: InspectOptions): Promise<Qcow2Facts> {
  const { maxVirtualSizeBytes = Number.MAX_SAFE_INTEGER } = options;
  const { size: fileBytes } = await file.stat();
  const head = await readAt(file, 0, headerReadBytes);
  const { virtualSizeBytes, clusterBytes } = parseQcow2Header(head, { fileBytes, maxVirtualSizeBytes });
  const reported = await infoQcow2(file.fd, options);
  if (reported !== virtualSizeBytes)
    throw new ApiError('hostile_image', { message: 'The header and qemu-img name different virtual sizes.' });
  const { allocatedBytes } = await assertSoundQcow2(file.fd, { fileBytes, clusterBytes }, options);
  return { virtualSizeBytes, allocatedBytes: Math.min(allocatedBytes, virtualSizeBytes) };
}

/** Shorter where the file ends earlier. */
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
