import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bytesWith, tool } from './member.ts';
import type { Maker } from './member.ts';

const sectorBytes = 2048;
const at16 = 16 * sectorBytes;
const paddingBytes = 150 * sectorBytes;

/** Optical discs, whole and cut. */
export async function makeDiscs({ at, add, write, change }: Maker): Promise<void> {
  const tree = at('.tree');
  await mkdir(join(tree, 'folder'), { recursive: true });
  await writeFile(join(tree, 'folder', 'data'), Buffer.alloc(100_000, 'data'));
  const make = async (name: string, ...options: string[]): Promise<void> => {
    await tool('genisoimage', '-quiet', '-o', at(name), ...options, tree);
    add(name, 'iso');
  };
  await make('d-plain');
  await make('d-joliet', '-J', '-R');
  await make('d-bridge', '-udf', '-J');
  await make('d-no-padding', '-no-pad');
  const plain = await readFile(at('d-plain'));
  // Boot code of a hybrid, and content that looks like another kind, come before the descriptors.
  await change('d-hybrid', 'iso', { from: at('d-plain'), bytes: { 0: '33ed', 510: '55aa' } });
  await change('d-gzip-start', 'iso', { from: at('d-plain'), bytes: { 0: '1f8b0800' } });
  await change('d-cut-padding', 'iso', { from: at('d-plain'), length: plain.length - paddingBytes });
  const cut = { from: at('d-plain'), length: plain.length - paddingBytes - 50_000 };
  await change('d-cut-data', 'damaged_image', cut);
  await change('d-cut-early', 'damaged_image', { from: at('d-plain'), length: 52_000 });
  // A boot record stands before the primary descriptor of other writers.
  const record = bytesWith(sectorBytes, { 0: '\0CD001\u0001EL TORITO SPECIFICATION' });
  const primary = plain.subarray(at16, at16 + sectorBytes);
  const end = bytesWith(sectorBytes, { 0: '\u00ffCD001\u0001' });
  const booted = Buffer.from(plain);
  booted.set(Buffer.concat([record, primary, end]), at16);
  await write('d-boot-first', 'iso', booted);
  await write('d-boot-first-cut', 'damaged_image', booted.subarray(0, cut.length));
  const udf = (name: string, stepBytes: number): Buffer =>
    bytesWith(524_288, {
      [at16]: '\0BEA01\u0001',
      [at16 + stepBytes]: `\0${name}\u0001`,
      [at16 + 2 * stepBytes]: '\0TEA01\u0001',
    });
  await write('d-udf-102', 'iso', udf('NSR02', sectorBytes));
  await write('d-udf-250', 'iso', udf('NSR03', sectorBytes));
  await write('d-udf-4k', 'iso', udf('NSR03', 4096));
  await write('d-high-sierra', 'iso', bytesWith(65_536, { [at16 + 8]: '\u0001CDROM\u0001' }));
  const hfs = Buffer.from('4244', 'hex');
  const hfsBlocks = Buffer.from('010000000800', 'hex');
  await write('d-hfs', 'iso', bytesWith(65_536, { 1024: hfs, 1042: hfsBlocks }));
  const plusBlock = Buffer.from('00001000', 'hex');
  await write('d-hfs-plus', 'iso', bytesWith(65_536, { 1024: 'H+\0\u0004', 1064: plusBlock }));
}
