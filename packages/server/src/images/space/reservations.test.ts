import { describe, expect, it } from 'vitest';
import { availableBytes, floorBytesOf, outstandingBytes } from './reservations.ts';

const GiB = 1024 ** 3;

describe('space for a new operation', () => {
  it('written bytes of a reservation do not count twice', () => {
    const reservations = [
      { operationId: 'a', reservedBytes: 10, writtenBytes: 4 },
      { operationId: 'b', reservedBytes: 10, writtenBytes: 12 },
    ];
    expect(outstandingBytes(reservations)).toBe(6);
  });

  it('the larger of bytes and fraction stays free', () => {
    const floor = { bytes: 2 * GiB, fraction: 0.05 };
    expect(floorBytesOf(floor, 10 * GiB)).toBe(2 * GiB);
    expect(floorBytesOf(floor, 100 * GiB)).toBe(5 * GiB);
    expect(floorBytesOf({ bytes: 0, fraction: 0 }, 100 * GiB)).toBe(0);
  });

  it('available space is free bytes minus reservations minus the floor, never negative', () => {
    const space = { freeBytes: 10 * GiB, totalBytes: 20 * GiB };
    const reservations = [{ operationId: 'a', reservedBytes: 4 * GiB, writtenBytes: GiB }];
    const floor = { bytes: 2 * GiB, fraction: 0.05 };
    expect(availableBytes(space, { reservations, floor })).toBe(5 * GiB);
    expect(availableBytes({ ...space, freeBytes: GiB }, { reservations, floor })).toBe(0);
  });
});
