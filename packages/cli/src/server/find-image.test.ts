import type { Image, Upload } from '@wcc/api';
import { expect, it } from 'vitest';
import { listUnfinished } from '../upload/find-unfinished.ts';
import { findImage } from './find-image.ts';
import type { Server } from './server.ts';

const [nfc, nfd] = ['nur-ä.iso'.normalize('NFC'), 'nur-ä.iso'.normalize('NFD')];

function serverWith(names: readonly string[]): Server {
  const items = names.map((name, index) => ({ id: 100 + index, name, pool: 'p', state: 'ready' }) as Image);
  const uploads = names.map((name) => ({ name, pool: 'p' }) as Upload);
  const api = {
    images: () => Promise.resolve({ items }),
    uploads: () => Promise.resolve({ items: uploads }),
  };
  return { api } as unknown as Server;
}

it('F17: a name finds its image in every Unicode spelling, and its own spelling first', async () => {
  expect(nfc).not.toBe(nfd);
  for (const stored of [nfc, nfd])
    for (const typed of [nfc, nfd, `name:${nfd}`])
      expect((await findImage(serverWith([stored]), typed)).name).toBe(stored);
  const both = serverWith([nfd, nfc]);
  expect((await findImage(both, nfc)).name).toBe(nfc);
  expect((await findImage(both, nfd)).name).toBe(nfd);
});

it('F17: a name that only looks like the one of an image is another name', async () => {
  // The second letter is Cyrillic.
  await expect(findImage(serverWith(['paris.iso']), 'p\u0430ris.iso')).rejects.toMatchObject({
    code: 'not_found',
  });
});

it('F17: an unfinished upload is found in every Unicode spelling', async () => {
  expect(
    await listUnfinished(serverWith([nfd, 'other.iso']), {
      name: nfc,
      pool: undefined,
      sha256: undefined,
      format: undefined,
    }),
  ).toHaveLength(1);
});
