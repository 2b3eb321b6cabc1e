import { ApiError } from '@wcc/api';
import { formatBytes } from '@wcc/progress';

/** @param bytes of the file, or the virtual size. @throws ApiError `image_too_large` */
export function assertNotTooLarge(bytes: number | bigint, maxBytes: number): void {
  if (bytes > maxBytes) throw tooLarge(Number(bytes), maxBytes);
}

export function tooLarge(bytes: number, maxBytes: number): ApiError {
  const [has, limit] = [formatBytes(bytes), formatBytes(maxBytes)];
  // Close to the limit, rounded numbers would be equal.
  const figures = has === limit ? [`${bytes} bytes`, `${maxBytes} bytes`] : [has, limit];
  const message = `The image has ${figures[0]}; the limit is ${figures[1]}.`;
  return new ApiError('image_too_large', { message });
}
