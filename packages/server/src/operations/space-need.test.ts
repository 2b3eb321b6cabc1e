import { describe, expect, it } from 'vitest';
import { hasRoom, learnRefusal, raiseNeed } from './space-need.ts';

const MiB = 1024 ** 2;
const space = (needs: number, free: number, freeInodes: number | null = null) => ({
  needsBytes: needs * MiB,
  freeBytes: free * MiB,
  freeInodes,
});

describe('D1: the need of an operation that a disk refused', () => {
  it('D1: a disk that is visibly full raises no need', () => {
    expect(learnRefusal(null, space(8, 7), 0)).toBeNull();
    expect(hasRoom(space(8, 8), null, 0)).toBe(false);
    expect(hasRoom(space(8, 9), null, 0)).toBe(true);
    expect(hasRoom(space(8, 9, 3), null, 0)).toBe(false);
  });

  it('D1: every refusal with enough free space raises the need above that space, and none lowers it', () => {
    let refusal = learnRefusal(null, space(8, 74), 0);
    expect(raiseNeed(space(8, 74), refusal).needsBytes).toBe(90 * MiB);
    expect(hasRoom(space(8, 74), refusal, 0)).toBe(false);
    expect(hasRoom(space(8, 91), refusal, 0)).toBe(true);
    refusal = learnRefusal(refusal, space(8, 91), 1);
    expect(hasRoom(space(8, 91), refusal, 1)).toBe(false);
    refusal = learnRefusal(refusal, space(8, 20), 2);
    expect(hasRoom(space(8, 91), refusal, 2)).toBe(false);
    expect(hasRoom(space(8, 108), refusal, 2)).toBe(true);
  });

  it('D1: an operation tries again after an hour, because the file system may not show the new space', () => {
    const refusal = learnRefusal(null, space(8, 74), 1000);
    expect(hasRoom(space(8, 74), refusal, 1000 + 3_600_000)).toBe(false);
    expect(hasRoom(space(8, 74), refusal, 1001 + 3_600_000)).toBe(true);
    expect(hasRoom(space(8, 7), refusal, 1001 + 3_600_000)).toBe(false);
  });
});
