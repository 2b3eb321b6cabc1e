import { expect, it } from 'vitest';
import { judgeContent } from './judge.ts';

const [sectorBytes, descriptorAt, tableAt] = [2048, 0x8000, 65_536];
const MiB = 1024 ** 2;

/** A directory record (ECMA-119 §9.1) of a directory at a byte, because the blocks of this disc have one byte. */
function record(at: number, bytes: number): Buffer {
  const entry = Buffer.alloc(34);
  entry[0] = entry.length;
  entry.writeUInt32LE(at, 2);
  entry.writeUInt32LE(bytes, 10);
  entry[25] = 2;
  return entry;
}

it('reads a bounded part of a disc whose directories overlap', async () => {
  const disc = Buffer.alloc(tableAt + 5 * MiB);
  disc.write('\u0001CD001', descriptorAt, 'latin1');
  disc.writeUInt32LE(disc.length + sectorBytes, descriptorAt + 80);
  disc.writeUInt16LE(1, descriptorAt + 128);
  record(tableAt, 4 * MiB).copy(disc, descriptorAt + 156);
  // Each of 3000 directories is the same records, from another one on.
  for (let index = 0; index < 3000; index += 1)
    record(tableAt + 34 * index, 4 * MiB).copy(disc, tableAt + 34 * index);
  let readBytes = 0;
  const read = async (offset: number, lengthBytes: number): Promise<Uint8Array> => {
    readBytes += lengthBytes;
    return Promise.resolve(disc.subarray(offset, offset + lengthBytes));
  };
  const found = await judgeContent({ sizeBytes: disc.length, read });
  expect(found).toMatchObject({ refusal: { code: 'damaged_image', reason: 'truncated' } });
  expect(readBytes).toBeLessThan(20 * MiB);
});
