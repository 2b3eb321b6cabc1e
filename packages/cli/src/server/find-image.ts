import { isSameName } from '@wcc/api';
import type { Image } from '@wcc/api';
import { CliError } from '../runtime/errors.ts';
import type { Server } from './server.ts';

/** Lists all images, page by page. */
export async function listImages({ api }: Server): Promise<Image[]> {
  const images: Image[] = [];
  let cursor: string | undefined;
  do {
    const page = await api.images({ limit: 200, ...(cursor === undefined ? {} : { cursor }) });
    images.push(...page.items);
    cursor = page.next;
  } while (cursor !== undefined);
  return images;
}

/**
 * Finds an image by id or name. Digits are an id; `name:123` is the name "123".
 *
 * @throws CliError `not_found`, or `usage` if several pools have an image of this name
 */
export async function findImage(server: Server, text: string): Promise<Image> {
  if (/^\d+$/.test(text)) return server.api.image(Number(text));
  const name = text.replace(/^name:/, '');
  const spelled = (await listImages(server)).filter((image) => isSameName(image.name, name));
  // Two files whose names differ only in their Unicode spelling can exist in an old pool.
  const exact = spelled.filter((image) => image.name === name);
  const all = exact.length > 0 ? exact : spelled;
  // The record of a missing file stays, so an existing image of the same name has priority.
  const existing = all.filter((image) => image.state !== 'missing');
  const found = existing.length > 0 ? existing : all;
  const [image] = found;
  if (image === undefined) {
    throw new CliError('not_found', `There is no image "${name}".`, { hint: 'List images: wcc image ls' });
  }
  if (found.length > 1) {
    const ids = found.map(({ id, pool }) => `${id} (pool ${pool})`).join(', ');
    throw new CliError('usage', `"${name}" is the name of several images: ${ids}.`, {
      code: 'ambiguous',
      hint: 'Use the id.',
    });
  }
  return image;
}
