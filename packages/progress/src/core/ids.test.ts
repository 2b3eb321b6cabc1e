import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createOperationId, isOperationId, isWatchableId } from './ids.ts';
import { isNewer } from './version.ts';

describe('operation ids', () => {
  it('are 26 characters of lower-case base32 (RFC 4648)', () => {
    // RFC 4648, section 10: "foobar" is MZXW6YTBOI.
    const foobar = createOperationId(() => new TextEncoder().encode('foobar'));
    expect(foobar).toBe('mzxw6ytboi');
    const ids = Array.from({ length: 500 }, () => createOperationId(randomBytes));
    expect(new Set(ids).size).toBe(500);
    expect(ids.every(isOperationId)).toBe(true);
    expect(createOperationId((length) => new Uint8Array(length))).toBe('a'.repeat(26));
    expect(createOperationId((length) => new Uint8Array(length).fill(255))).toBe(`${'7'.repeat(25)}4`);
  });

  it('are distinguished from all other texts', () => {
    for (const text of [
      '',
      'copy_vm_image_100',
      'A'.repeat(26),
      'a'.repeat(25),
      'a'.repeat(27),
      `${'a'.repeat(25)}b`,
    ]) {
      expect(isOperationId(text)).toBe(false);
    }
  });

  it('may be any text of 1 to 64 characters if the host chooses them', () => {
    for (const id of [createOperationId(), '7', 'job "42"', 'é'.repeat(64)])
      expect(isWatchableId(id)).toBe(true);
    for (const id of ['', 'a'.repeat(65), 42, null, undefined]) expect(isWatchableId(id)).toBe(false);
  });

  it('come from the Web Crypto API unless the caller has a source of its own', () => {
    const ids = Array.from({ length: 500 }, () => createOperationId());
    expect(new Set(ids).size).toBe(500);
    expect(ids.every(isOperationId)).toBe(true);
  });
});

describe('isNewer', () => {
  it('accepts another epoch, a greater seq, and any first snapshot', () => {
    expect(isNewer(undefined, { epoch: 'a', seq: 1 })).toBe(true);
    expect(isNewer({ epoch: 'a', seq: 1 }, { epoch: 'a', seq: 2 })).toBe(true);
    expect(isNewer({ epoch: 'a', seq: 9 }, { epoch: 'b', seq: 1 })).toBe(true);
    expect(isNewer({ epoch: 'a', seq: 2 }, { epoch: 'a', seq: 2 })).toBe(false);
    expect(isNewer({ epoch: 'a', seq: 3 }, { epoch: 'a', seq: 2 })).toBe(false);
  });
});
