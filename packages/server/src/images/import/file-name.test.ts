import { expect, it } from 'vitest';
import { proposeName } from './file-name.ts';

const nameOf = (addresses: readonly string[], contentDisposition?: string): string | null =>
  proposeName({ addresses: addresses.map((one) => new URL(one)), contentDisposition });
const plain = ['http://a.test/get?id=7'];

it('F24: the other server names the file, by RFC 6266', () => {
  const names: readonly (readonly [header: string, name: string])[] = [
    ['attachment; filename="b.iso"', 'b.iso'],
    ['inline;FileName = b.iso', 'b.iso'],
    ['attachment; filename="a \\"b\\";c.iso"', 'a "b";c.iso'],
    [`attachment; filename="x.iso"; filename*=UTF-8''gr%C3%B6%C3%9Fe.iso`, 'größe.iso'],
    [`attachment; filename*=iso-8859-1'de'gr%F6%DFe.iso`, 'größe.iso'],
    [`attachment; filename*=koi8-r''x; filename=b.iso`, 'b.iso'],
    [`attachment; filename*=UTF-8''%FF; filename=b.iso`, 'b.iso'],
    [`attachment; filename="${Buffer.from('größe.iso').toString('latin1')}"`, 'größe.iso'],
    ['attachment; filename="größe.iso"', 'größe.iso'],
    ['attachment; filename="C:\\\\images\\\\b.iso"', 'b.iso'],
    ['attachment; filename="../../etc/b.iso"', 'b.iso'],
    [`attachment; filename*=UTF-8''..%2F..%2Fb.iso`, 'b.iso'],
    ['filename=b.iso', 'b.iso'],
  ];
  for (const [header, name] of names) expect(nameOf(plain, header), header).toBe(name);
});

it('F24: without that, an address of the way names the file', () => {
  expect(nameOf(['http://a.test/files/b.iso/download'])).toBe('b.iso');
  expect(nameOf(['http://a.test/latest', 'http://mirror.test/debian-12.iso?x=1'])).toBe('debian-12.iso');
  expect(nameOf(['http://a.test/v1/disk.qcow2', 'http://store.test/b0c1-uuid'])).toBe('disk.qcow2');
  expect(nameOf(['http://a.test/gr%C3%B6%C3%9Fe.iso'])).toBe('größe.iso');
  expect(nameOf(['http://a.test/latest'])).toBe('latest');
  expect(nameOf(['http://a.test/'])).toBeNull();
  expect(nameOf(['http://a.test/latest'], 'attachment; filename=".wcc-hidden"')).toBe('latest');
});
