import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isProxied, wasKeptBack } from './buffering.ts';

const MiB = 1024 ** 2;
/** 8 MiB that came within 0.2 s, after 5 s of nothing. */
const all = { receivedBytes: 8 * MiB, lengthBytes: 8 * MiB };
const sudden = { silentMs: 5_000, sendingMs: 200, ...all, isProxied: true };

describe('bytes that a proxy kept back', () => {
  it('are told by the silence before them', () => {
    expect(wasKeptBack(sudden)).toBe(true);
    expect(wasKeptBack({ ...sudden, isProxied: false })).toBe(false);
    const small = 4 * MiB - 1;
    expect(wasKeptBack({ ...sudden, receivedBytes: small, lengthBytes: small })).toBe(false);
    expect(wasKeptBack({ ...sudden, silentMs: 3_000 })).toBe(false);
    // As long as it took to send: a client that had a look at its file before.
    expect(wasKeptBack({ ...sudden, sendingMs: 2_000 })).toBe(false);
  });

  it('are told while they come, once more are here than sockets hold', () => {
    // The first 64 MiB of a gigabyte in 0.1 s: all of it takes 1.6 s, after 5 s of nothing.
    const begun = { ...sudden, sendingMs: 100, receivedBytes: 64 * MiB, lengthBytes: 1024 * MiB };
    expect(wasKeptBack(begun)).toBe(true);
    expect(wasKeptBack({ ...begun, receivedBytes: 64 * MiB - 1 })).toBe(false);
    expect(wasKeptBack({ ...begun, sendingMs: 110 })).toBe(false);
    expect(wasKeptBack({ ...sudden, receivedBytes: 8 * MiB - 1 })).toBe(false);
  });

  it('are never seen in bytes that flow, however slow or large', () => {
    const flowing = fc.record({
      sendingMs: fc.nat({ max: 600_000 }),
      silentMs: fc.nat({ max: 3_000 }),
      receivedBytes: fc.maxSafeNat(),
      lengthBytes: fc.maxSafeNat(),
      isProxied: fc.boolean(),
    });
    fc.assert(
      fc.property(flowing, (arrival) => {
        expect(wasKeptBack(arrival)).toBe(false);
      }),
    );
  });
});

it('a proxy shows by its headers, or by speaking HTTP/1.0', () => {
  for (const name of ['via', 'forwarded', 'x-forwarded-for', 'x-real-ip'])
    expect(isProxied({ httpVersion: '1.1', headers: { [name]: 'x' } }), name).toBe(true);
  expect(isProxied({ httpVersion: '1.0', headers: {} })).toBe(true);
  expect(isProxied({ httpVersion: '1.1', headers: { host: 'h' } })).toBe(false);
});
