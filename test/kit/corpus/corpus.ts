import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeDiscs } from './discs.ts';
import { bytesWith, createMaker } from './member.ts';
import type { Member } from './member.ts';
import { makeForeignDisks, makeNonImages } from './others.ts';
import { makeQcow2Variants } from './qcow2.ts';

/** Files of every kind that people take for images, each with what wcc must say of it. */
export async function makeCorpus(directory: string): Promise<Member[]> {
  await mkdir(directory, { recursive: true });
  const members: Member[] = [];
  const maker = createMaker(directory, members);
  const disk = join(directory, '.source');
  await writeFile(disk, Buffer.alloc(1024 ** 2, 'a disk of 1 MiB'));
  await Promise.all([
    makeQcow2Variants(maker, disk),
    makeForeignDisks(maker),
    makeNonImages(maker),
    makeDiscs(maker),
  ]);
  await maker.write('r-zeros', 'raw', Buffer.alloc(65_536));
  await maker.write(
    'r-boot-sector',
    'raw',
    bytesWith(65_536, { 510: Buffer.from('55aa', 'hex'), 512: 'EFI PART' }),
  );
  await maker.write('r-text', 'raw', 'a note for the installer\n');
  await maker.write('r-luks', 'raw', bytesWith(65_536, { 0: 'LUKS\u00ba\u00be\0\u0002' }));
  return members;
}
