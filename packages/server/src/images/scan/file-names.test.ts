import { writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { admin, startDomain } from '../images.testkit.ts';
import type { DomainUnderTest } from '../images.testkit.ts';
import { decodeFileName, isUndecodable } from './file-names.ts';

describe('F6: names that are not UTF-8', () => {
  let domain: DomainUnderTest;

  beforeEach(async () => {
    domain = await startDomain();
  });
  afterEach(async () => {
    await domain.close();
  });

  it('F6: two such names are two rows, which do not change while their files do not', async () => {
    const files: [number, string][] = [
      [0xff, 'one'],
      [0xfe, 'longer'],
    ];
    for (const [byte, content] of files) {
      const name = Buffer.from([0x62, byte]);
      await writeFile(Buffer.concat([Buffer.from(`${domain.poolDir}/`), name]), content);
    }
    const readRows = async (): Promise<[string, number, string | null, number][]> => {
      await domain.rescan();
      const { items } = await domain.images.list(admin, { limit: 10 });
      const rows = await domain.store.db.selectFrom('images').select(['id', 'rev']).execute();
      return items.map(({ id, name, sizeBytes, stateReason }) => {
        return [name, sizeBytes, stateReason, rows.find((row) => row.id === id)?.rev ?? -1];
      });
    };
    const first = await readRows();
    const byName = first.toSorted(([one], [other]) => (one < other ? -1 : 1));
    expect(byName.map((row) => row.slice(0, 3))).toEqual([
      ['b\u{fffd}fe', 6, 'invalid_name'],
      ['b\u{fffd}ff', 3, 'invalid_name'],
    ]);
    expect(await readRows()).toEqual(first);
  });

  it('F6: every sequence of bytes has a text of its own', () => {
    const bytes = [0x00, 0x61, 0x66, 0x80, 0xbf, 0xbd, 0xc3, 0xef, 0xf0, 0xff];
    const seen = new Map<string, string>();
    let sequences: number[][] = [[]];
    for (let length = 1; length <= 4; length += 1) {
      sequences = sequences.flatMap((start) => bytes.map((byte) => [...start, byte]));
      for (const sequence of sequences) {
        const text = decodeFileName(Buffer.from(sequence));
        expect(seen.get(text) ?? String(sequence)).toBe(String(sequence));
        seen.set(text, String(sequence));
      }
    }
    expect(seen.size).toBe(10 + 100 + 1000 + 10_000);
  });

  it('F6: a name in UTF-8 is its own text', () => {
    for (const name of ['a.iso', 'größe.img', '日本語.raw', '\u{feff}bom', '😀']) {
      expect(decodeFileName(Buffer.from(name))).toBe(name);
      expect(isUndecodable(name)).toBe(false);
    }
    expect(isUndecodable(decodeFileName(Buffer.from([0x61, 0xff])))).toBe(true);
    expect(decodeFileName(Buffer.from('\u{fffd}'))).toBe('\u{fffd}ef\u{fffd}bf\u{fffd}bd');
  });
});
