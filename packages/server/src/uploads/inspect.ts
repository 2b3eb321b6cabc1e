import { ApiError, type ImageFormat } from '@wcc/api';
import { readContent } from '../images/scan/look.ts';

export interface Inspected {
  format: ImageFormat;
  virtualSizeBytes: number;
}

/** Looks at a complete file before anybody can use it: its content decides what it is. */
export async function inspectUpload(path: string, believed: ImageFormat | null): Promise<Inspected> {
  const content = await readContent(path);
  if (content === 'busy' || content === 'gone') throw new ApiError('source_vanished');
  if ('refused' in content) {
    const message = `The image is refused: ${content.refused}. Nothing was kept.`;
    throw new ApiError(content.refused === 'unreadable' ? 'io_error' : 'hostile_image', { message });
  }
  if (believed !== null && believed !== content.format) {
    const message = `It was announced as ${believed}, and its content is ${content.format}.`;
    throw new ApiError('unsupported_format', { message, hint: 'Name the format that it has, or none.' });
  }
  return { format: content.format, virtualSizeBytes: content.virtualSizeBytes };
}
