import type { ImageFormat } from '@wcc/api';
import { inspectForeign } from '../images/foreign/inspect.ts';

export interface Inspected {
  format: ImageFormat;
  virtualSizeBytes: number;
}

/** Looks at a complete file before anybody can use it: its content decides what it is. */
export function inspectUpload(
  path: string,
  options: { believed: ImageFormat | null; signal?: AbortSignal },
): Promise<Inspected> {
  const { believed, signal } = options;
  return inspectForeign(path, { ...(believed === null ? {} : { believed }), ...(signal ? { signal } : {}) });
}
