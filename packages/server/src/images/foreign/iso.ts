import { ApiError } from '@wcc/api';

/** Images are often cut after their last file: up to 150 sectors of padding, and some room for doubt. */
const paddingBytes = 512 * 1024;

/**
 * Compares the file with the size that its primary volume descriptor names (ECMA-119 §8.4.8 and §8.4.12).
 * @param descriptor the sector at 0x8000
 * @throws ApiError `hostile_image` when the end is missing
 */
export function assertIsoLength(descriptor: Buffer, fileBytes: number): void {
  const primary = 1;
  if (descriptor.length < 132 || descriptor[0] !== primary) return;
  const volumeBytes = descriptor.readUInt32LE(80) * descriptor.readUInt16LE(128);
  if (volumeBytes <= fileBytes + paddingBytes) return;
  const message = `The file is cut off: the ISO names ${volumeBytes} bytes, the file has ${fileBytes}.`;
  throw new ApiError('hostile_image', { message });
}
