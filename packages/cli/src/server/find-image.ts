import type { Image } from '@wcc/api';
import { CliError } from '../runtime/errors.ts';
import type { Server } from './server.ts';

/** All pages of the list. */
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
 * The image of an id or a name. Digits are an id; `name:123` means the name. A name that several pools know
 * means nothing: nobody guesses which one is to be deleted.
 */
export async function findImage(server: Server, text: string): Promise<Image> {
  if (/^\d+$/.test(text)) return server.api.image(Number(text));
  const name = text.replace(/^name:/, '');
  const all = (await listImages(server)).filter((image) => image.name === name);
  // A file that is gone keeps its record; the one that took its name is what is meant.
  const there = all.filter((image) => image.state !== 'missing');
  const found = there.length > 0 ? there : all;
  const [image] = found;
  if (image === undefined) {
    throw new CliError('not_found', `There is no image "${name}".`, { hint: 'See them: wcc image ls' });
  }
  if (found.length > 1) {
    const ids = found.map(({ id, pool }) => `${id} (pool ${pool})`).join(', ');
    throw new CliError('usage', `"${name}" means several images: ${ids}.`, {
      code: 'ambiguous',
      hint: 'Name it by its id.',
    });
  }
  return image;
}
