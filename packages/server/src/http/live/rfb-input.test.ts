import { describe, expect, it } from 'vitest';
import { createInputFilter } from './rfb-input.ts';

const greeting = Buffer.concat([Buffer.from('RFB 003.008\n'), Buffer.from([1, 1])]);
const pixelFormat = Buffer.alloc(20, 7).fill(0, 0, 1);
const encodings = Buffer.from([2, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 16]);
const update = Buffer.from([3, 1, 0, 0, 0, 0, 4, 0, 3, 0]);
const key = Buffer.from([4, 1, 0, 0, 0, 0, 0, 0x61]);
const pointer = Buffer.from([5, 1, 0, 9, 0, 9]);
const cutText = Buffer.concat([Buffer.from([6, 0, 0, 0, 0, 0, 0, 5]), Buffer.from('\x04\x05\x03\x04x')]);
const extendedCut = Buffer.concat([
  Buffer.from([6, 0, 0, 0, 0xff, 0xff, 0xff, 0xfc]),
  Buffer.from([4, 4, 4, 4]),
]);
const fence = Buffer.from([248, 0, 0, 0, 0, 0, 0, 1, 3, 4, 5, 6]);
const power = Buffer.from([250, 0, 1, 2]);
const size = Buffer.concat([Buffer.from([251, 0, 4, 0, 3, 0, 1, 0]), Buffer.alloc(16, 4)]);
const qemuKey = Buffer.from([255, 0, 0, 1, 0, 0, 0, 0x61, 0, 0, 0, 30]);
const qemuSound = Buffer.from([255, 1, 0, 2, 0, 2, 0, 0, 0xac, 0x44]);

const looks = [pixelFormat, encodings, update, fence];
const input = [key, pointer, cutText, extendedCut, power, size, qemuKey, qemuSound];
const everything = Buffer.concat([greeting, ...looks.flatMap((look, at) => [look, ...input.slice(at)])]);
const passed = Buffer.concat([greeting, ...looks]);

describe('view-only input filter', () => {
  it.each([everything.length, 1, 2, 3, 7, 13])('drops all input, also in pieces of %i bytes', (length) => {
    const filter = createInputFilter();
    const out: Buffer[] = [];
    for (let at = 0; at < everything.length; at += length)
      out.push(filter.pass(everything.subarray(at, at + length)));
    expect(Buffer.concat(out)).toEqual(passed);
  });

  it.each([
    ['an older version with a shorter greeting', Buffer.from('RFB 003.003\n')],
    ['another security type', Buffer.from('RFB 003.008\n\x02')],
    ['an unknown message', Buffer.concat([greeting, Buffer.from([99])])],
  ])('rejects %s', (_what, bytes) => {
    expect(() => createInputFilter().pass(bytes)).toThrow(RangeError);
  });
});
