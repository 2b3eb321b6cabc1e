import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isProxied, wasBuffered } from './buffering.ts';

const MiB = 1024 ** 2;
/** 8 MiB that arrive within 0.2 s, after 5 s of silence. */
const all = { receivedBytes: 8 * MiB, lengthBytes: 8 * MiB };
const sudden = { silentMs: 5_000, sendingMs: 200, ...all, isProxied: true };

describe('detection of a proxy that buffers a request', () => {
  it('reports a fast request of a proxy after a long silence', () => {
    expect(wasBuffered(sudden)).toBe(true);
    expect(wasBuffered({ ...sudden, isProxied: false })).toBe(false);
    const small = 4 * MiB - 1;
    expect(wasBuffered({ ...sudden, receivedBytes: small, lengthBytes: small })).toBe(false);
    expect(wasBuffered({ ...sudden, silentMs: 3_000 })).toBe(false);
    // A client that read its file first: the silence is not much longer than the request.
    expect(wasBuffered({ ...sudden, sendingMs: 2_000 })).toBe(false);
  });

  it('reports a running request once more bytes have arrived than sockets can buffer', () => {
    // 64 MiB of 1 GiB arrive in 0.1 s after 5 s of silence. At this rate the whole request takes 1.6 s.
    const begun = { ...sudden, sendingMs: 100, receivedBytes: 64 * MiB, lengthBytes: 1024 * MiB };
    expect(wasBuffered(begun)).toBe(true);
    expect(wasBuffered({ ...begun, receivedBytes: 64 * MiB - 1 })).toBe(false);
    expect(wasBuffered({ ...begun, sendingMs: 110 })).toBe(false);
    expect(wasBuffered({ ...sudden, receivedBytes: 8 * MiB - 1 })).toBe(false);
  });

  it('reports no request after a short silence, at any speed and length', () => {
    const flowing = fc.record({
      sendingMs: fc.nat({ max: 600_000 }),
      silentMs: fc.nat({ max: 3_000 }),
      receivedBytes: fc.maxSafeNat(),
      lengthBytes: fc.maxSafeNat(),
      isProxied: fc.boolean(),
    });
    fc.assert(
      fc.property(flowing, (arrival) => {
        expect(wasBuffered(arrival)).toBe(false);
      }),
    );
  });
});

it('isProxied recognizes proxies by their headers or HTTP/1.0', () => {
  for (const name of ['via', 'forwarded', 'x-forwarded-for', 'x-real-ip'])
    expect(isProxied({ httpVersion: '1.1', headers: { [name]: 'x' } }), name).toBe(true);
  expect(isProxied({ httpVersion: '1.0', headers: {} })).toBe(true);
  expect(isProxied({ httpVersion: '1.1', headers: { host: 'h' } })).toBe(false);
});
