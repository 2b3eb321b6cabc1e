import { describe, expect, it, vi } from 'vitest';
import { createRfbInput } from './rfb-input.ts';

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
    const filter = createRfbInput({ isViewOnly: true });
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
    expect(() => createRfbInput({ isViewOnly: true }).pass(bytes)).toThrow(RangeError);
  });
});

describe('input of an interactive screen', () => {
  it.each([everything.length, 1, 2, 3, 7, 13])('passes unchanged, also in pieces of %i bytes', (length) => {
    let inputs = 0;
    const filter = createRfbInput({ isViewOnly: false, onInput: () => (inputs += 1) });
    const out: Buffer[] = [];
    for (let at = 0; at < everything.length; at += length)
      out.push(filter.pass(everything.subarray(at, at + length)));
    expect(Buffer.concat(out)).toEqual(everything);
    expect(inputs).toBeGreaterThan(0);
  });

  it('counts requests for frames as no input', () => {
    let inputs = 0;
    const filter = createRfbInput({ isViewOnly: false, onInput: () => (inputs += 1) });
    filter.pass(Buffer.concat([greeting, ...looks, ...looks]));
    expect(inputs).toBe(0);
    filter.pass(key);
    expect(inputs).toBe(1);
  });

  it.each([
    ['an older version', Buffer.from('RFB 003.003\n')],
    ['another security type', Buffer.from('RFB 003.008\n\x02')],
    ['an unknown message', Buffer.concat([greeting, Buffer.from([99])])],
  ])('passes unread after %s', (_what, bytes) => {
    const filter = createRfbInput({ isViewOnly: false });
    const rest = Buffer.concat([Buffer.from([200, 4]), key]);
    expect(Buffer.concat([filter.pass(bytes), filter.pass(rest)])).toEqual(Buffer.concat([bytes, rest]));
  });
});

describe('SM5: the shared flag', () => {
  const exclusive = Buffer.from(greeting).fill(0, greeting.length - 1);

  it.each([true, false])('is set whatever the client asks for, view-only: %s', (isViewOnly) => {
    for (const length of [exclusive.length, 1, 5, 13]) {
      const filter = createRfbInput({ isViewOnly });
      const out: Buffer[] = [];
      for (let at = 0; at < exclusive.length; at += length)
        out.push(filter.pass(exclusive.subarray(at, at + length)));
      expect(Buffer.concat(out)).toEqual(greeting);
    }
    expect(createRfbInput({ isViewOnly }).pass(Buffer.concat([exclusive, update]))).toEqual(
      Buffer.concat([greeting, update]),
    );
    expect(exclusive.at(-1)).toBe(0);
  });
});

describe('SM4: the work for input', () => {
  it.each([
    ['PointerEvent', pointer],
    ['SetEncodings without encodings', Buffer.from([2, 0, 0, 0])],
    ['both in turn', Buffer.concat([pointer, Buffer.from([2, 0, 0, 0])])],
  ])('allocates one buffer at most for a message full of %s', (_what, message) => {
    const filter = createRfbInput({ isViewOnly: true });
    filter.pass(greeting);
    const flood = Buffer.alloc(240_000 - (240_000 % message.length), message);
    const spies = [vi.spyOn(Buffer, 'concat'), vi.spyOn(Buffer, 'allocUnsafe'), vi.spyOn(Buffer, 'from')];
    filter.pass(flood);
    const calls = spies.reduce((sum, { mock }) => sum + mock.calls.length, 0);
    for (const spy of spies) spy.mockRestore();
    expect(calls).toBeLessThanOrEqual(1);
  });
});
