import type { ImageFormat } from '@wcc/api';
import { inspectForeign } from '../images/foreign/inspect.ts';

export interface Inspected {
  format: ImageFormat;
  virtualSizeBytes: number;
}

/** Looks at a complete file before anybody can use it: its content decides what it is. */
export function inspectUpload(
  path: string,
  options: { believed: ImageFormat | null; maxVirtualSizeBytes?: number; signal?: AbortSignal },
): Promise<Inspected> {
  const { believed, ...rest } = options;
  return inspectForeign(path, { ...rest, ...(believed === null ? {} : { believed }) });
}
