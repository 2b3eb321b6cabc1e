import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRangeTest } from '../../config/address-range.ts';
import { mayAsk, parseSource, assertPublicAddress, resolveChecked } from './address-rules.ts';

const none = (): boolean => false;
const refused = expect.objectContaining({ code: 'import_refused' }) as Error;

describe('an address to import from', () => {
  it('F19: accepts http and https without user and password, and drops the fragment', () => {
    expect(parseSource('https://example.org/a.iso?x=1#part').href).toBe('https://example.org/a.iso?x=1');
    expect(parseSource('b.iso', new URL('http://example.org/dir/a.iso')).href).toBe(
      'http://example.org/dir/b.iso',
    );
    const codes = {
      invalid_input: ['', 'x', 'http://'],
      import_scheme: ['ftp://h/f', 'file:///f', 'data:,x'],
      import_credentials: ['http://u@h/', 'http://:p@h/'],
    };
    for (const [code, texts] of Object.entries(codes))
      for (const text of texts)
        expect(() => parseSource(text), text).toThrow(expect.objectContaining({ code }) as Error);
  });

  it('refuses every notation of a private IP address', () => {
    const byte = fc.integer({ min: 0, max: 255 });
    const privates = fc.oneof(
      fc.tuple(fc.constant(127), byte, byte, byte),
      fc.tuple(fc.constant(10), byte, byte, byte),
      fc.tuple(fc.constant(192), fc.constant(168), byte, byte),
      fc.tuple(fc.constant(169), fc.constant(254), byte, byte),
    );
    const radix = fc.constantFrom(
      (n: number) => String(n),
      (n: number) => `0x${n.toString(16)}`,
      (n: number) => `0${n.toString(8)}`,
    );
    const hosts = fc
      .tuple(privates, radix, fc.constantFrom('dotted', 'one', 'mapped', 'nat64'))
      .map(([[a, b, c, d], write, form]) => {
        const whole = ((a * 256 + b) * 256 + c) * 256 + d;
        if (form === 'one') return write(whole);
        if (form === 'mapped') return `[::ffff:${a}.${b}.${c}.${d}]`;
        if (form === 'nat64') return `[64:ff9b::${a}.${b}.${c}.${d}]`;
        return [a, b, c, d].map(write).join('.');
      });
    fc.assert(
      fc.property(hosts, (host) => {
        expect(() => assertPublicAddress(parseSource(`http://${host}/`), none)).toThrow(refused);
      }),
    );
  });

  it('refuses a name that resolves to a private address', async () => {
    const url = parseSource('http://localhost:8080/');
    const { signal } = new AbortController();
    const isAllowed = createRangeTest(['127.0.0.0/8', '::1']);
    expect(() => assertPublicAddress(url, none)).not.toThrow();
    await expect(resolveChecked(url, { isAllowed: none, signal })).rejects.toThrow(refused);
    const [found] = await resolveChecked(url, { isAllowed, signal });
    expect(['127.0.0.1', '::1']).toContain(found?.address);
  });

  it('allows the configured private addresses, and no others', () => {
    const isAllowed = createRangeTest(['10.1.0.0/16', 'fd00::/64']);
    expect(mayAsk('10.1.2.3', isAllowed)).toBe(true);
    expect(mayAsk('::ffff:10.1.2.3', isAllowed)).toBe(true);
    expect(mayAsk('10.2.0.1', isAllowed)).toBe(false);
    expect(mayAsk('fd00::1', isAllowed)).toBe(true);
    expect(mayAsk('fd00:0:0:1::1', isAllowed)).toBe(false);
  });
});
