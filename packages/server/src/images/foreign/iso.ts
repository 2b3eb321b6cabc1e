import { ApiError } from '@wcc/api';

/** ISOs may end before their padding of up to 150 sectors; the limit is generous. */
const paddingBytes = 512 * 1024;

/**
 * Compares the file with the size that its primary volume descriptor names (ECMA-119 §8.4.8 and §8.4.12).
 * @param descriptor the sector at 0x8000
 * @throws ApiError `hostile_image` if the end is missing
 */
export function assertIsoLength(descriptor: Buffer, fileBytes: number): void {
  const primary = 1;
  if (descriptor.length < 132 || descriptor[0] !== primary) return;
  const volumeBytes = descriptor.readUInt32LE(80) * descriptor.readUInt16LE(128);
  if (volumeBytes <= fileBytes + paddingBytes) return;
  const message = `The file is truncated: the ISO has ${volumeBytes} bytes, the file ${fileBytes}.`;
  throw new ApiError('hostile_image', { message });
}
