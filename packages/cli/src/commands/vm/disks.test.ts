import { expect, it } from 'vitest';
import { parseDisk } from './disks.ts';

it.each([
  ['blank:20G', { kind: 'blank', sizeBytes: 20 * 1024 ** 3 }],
  ['blank:1M,format=raw', { kind: 'blank', sizeBytes: 1024 ** 2, format: 'raw' }],
  ['image:100', { kind: 'image', image: '100' }],
  ['image:name:100', { kind: 'image', image: 'name:100' }],
  ['image:a,b:c.raw', { kind: 'image', image: 'a,b:c.raw' }],
  ['image:a.raw,size=2g', { kind: 'image', image: 'a.raw', sizeBytes: 2 * 1024 ** 3 }],
  ['image:a.raw,size=much', { kind: 'image', image: 'a.raw,size=much' }],
])('parses %s', (text, disk) => expect(parseDisk(text)).toEqual(disk));

it.each(['', '20G', 'blank:', 'blank:-1', 'blank:many', 'blank:1M,format=vmdk', 'image:', '/dev/sda'])(
  'rejects %j with an example',
  (text) => {
    expect(() => parseDisk(text)).toThrow(
      expect.objectContaining({
        exit: 'usage',
        code: 'invalid_disk',
        hint: expect.stringContaining('blank:20G'),
      }) as Error,
    );
  },
);
