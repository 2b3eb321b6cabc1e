import { expect, it } from 'vitest';
import { ExtentList } from './extent-list.ts';

const rangesOf = (list: ExtentList): [bigint, bigint][] => {
  const found: [bigint, bigint][] = [];
  for (let extent = list.next(0n); extent !== null; extent = list.next(extent.end))
    found.push([extent.start, extent.end]);
  return found;
};

it('an extent list returns ranges in order, from any offset', () => {
  const list = new ExtentList();
  const ranges = Array.from({ length: 1000 }, (_, index) => BigInt(index) * 10_000n);
  for (const start of ranges) list.add({ start, end: start + 4000n });
  expect(list).toMatchObject({ extentCount: 1000, dataBytes: 4_000_000n });
  expect(rangesOf(list)).toEqual(ranges.map((start) => [start, start + 4000n]));
  expect(list.next(5_001_000n)).toEqual({ start: 5_001_000n, end: 5_004_000n });
  expect(list.next(20_004_000n)).toBeNull();
  expect(list.next(3999n)).toEqual({ start: 3999n, end: 4000n });
  expect(list.next(4000n)).toEqual({ start: 10_000n, end: 14_000n });
  expect(list.bytesBefore(12_000n)).toBe(6000n);
});

it('an extent list ignores empty ranges and joins neighbours', () => {
  const list = new ExtentList();
  list.add({ start: 5n, end: 5n });
  list.add({ start: 8n, end: 10n });
  list.add({ start: 10n, end: 12n });
  expect(list).toMatchObject({ extentCount: 2, dataBytes: 4n });
  expect(rangesOf(list)).toEqual([[8n, 12n]]);
});

it('an extent list beyond its capacity merges ranges, and counts the merged gaps as data', () => {
  const list = new ExtentList(16);
  for (let index = 0n; index < 1000n; index += 1n) {
    const start = index * 12_288n + (index % 50n === 0n ? 8192n : 0n);
    list.add({ start, end: start + 4096n });
  }
  const ranges = rangesOf(list);
  expect(ranges.length).toBeLessThanOrEqual(16);
  expect(list.extentCount).toBe(1000);
  expect(list.dataBytes).toBe(ranges.reduce((sum, [start, end]) => sum + end - start, 0n));
  for (let index = 1n; index < 1000n; index += 1n) {
    const offset = index * 12_288n + 8192n;
    if (index % 50n === 0n) expect(list.next(offset)).toMatchObject({ start: offset });
  }
});
