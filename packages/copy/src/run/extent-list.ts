import type { PackedExtents } from '../contract/messages.ts';

export interface Extent {
  start: bigint;
  end: bigint;
}

/** Maximum ranges in memory (64 MiB). Beyond that, ranges with the smallest gaps are merged. */
const defaultCapacity = 4 * 1024 ** 2;
const firstGap = 4096n;

function createBounds(cells: number): BigInt64Array<SharedArrayBuffer> {
  return new BigInt64Array(new SharedArrayBuffer(cells * BigInt64Array.BYTES_PER_ELEMENT));
}

/** The data ranges of a file in ascending order. */
export class ExtentList {
  /** Start and end of each range. */
  #bounds: BigInt64Array = createBounds(128);
  #length = 0;
  #cursor = 0;
  /** Gaps up to this size count as data. */
  #mergedGap = 0n;
  #extentCount = 0;
  #dataBytes = 0n;
  readonly #capacity: number;

  /** @param capacity maximum number of ranges in memory */
  constructor(capacity: number = defaultCapacity) {
    this.#capacity = capacity;
  }

  static unpack({ bounds, length, mergedGap, extentCount, dataBytes }: PackedExtents): ExtentList {
    const list = new ExtentList();
    list.#bounds = bounds;
    list.#length = length;
    list.#mergedGap = mergedGap;
    list.#extentCount = extentCount;
    list.#dataBytes = dataBytes;
    return list;
  }

  pack(): PackedExtents {
    const [bounds, length, mergedGap] = [this.#bounds, this.#length, this.#mergedGap];
    return { bounds, length, mergedGap, extentCount: this.#extentCount, dataBytes: this.#dataBytes };
  }

  /** Number of ranges added. */
  get extentCount(): number {
    return this.#extentCount;
  }

  /** Bytes in all ranges: the maximum that a copy of them writes. */
  get dataBytes(): bigint {
    return this.#dataBytes;
  }

  /** Appends a range after the last one; ignores an empty range. */
  add(extent: Extent): void {
    if (extent.start >= extent.end) return;
    this.#extentCount += 1;
    this.#append(extent);
    while (this.#length > this.#capacity) this.#merge();
  }

  /** The next data range at or after an offset; null after the last one. */
  next(from: bigint): Extent | null {
    this.#cursor = this.#find(from);
    if (this.#cursor >= this.#length) return null;
    const start = this.#startOf(this.#cursor);
    return { start: start > from ? start : from, end: this.#endOf(this.#cursor) };
  }

  /** Data bytes before an offset. */
  bytesBefore(offset: bigint): bigint {
    let bytes = 0n;
    for (let index = 0; index < this.#length && this.#startOf(index) < offset; index += 1) {
      const end = this.#endOf(index);
      bytes += (end < offset ? end : offset) - this.#startOf(index);
    }
    return bytes;
  }

  #startOf(index: number): bigint {
    return this.#bounds[2 * index] ?? 0n;
  }

  #endOf(index: number): bigint {
    return this.#bounds[2 * index + 1] ?? 0n;
  }

  #append({ start, end }: Extent): void {
    const last = this.#length - 1;
    if (last >= 0 && start - this.#endOf(last) <= this.#mergedGap) {
      this.#dataBytes += end - this.#endOf(last);
      this.#bounds[2 * last + 1] = end;
      return;
    }
    if (2 * this.#length === this.#bounds.length) {
      const larger = createBounds(2 * this.#bounds.length);
      larger.set(this.#bounds);
      this.#bounds = larger;
    }
    this.#bounds[2 * this.#length] = start;
    this.#bounds[2 * this.#length + 1] = end;
    this.#length += 1;
    this.#dataBytes += end - start;
  }

  #merge(): void {
    const old = this.#bounds.slice(0, 2 * this.#length);
    this.#mergedGap = this.#mergedGap === 0n ? firstGap : 2n * this.#mergedGap;
    this.#length = 0;
    this.#dataBytes = 0n;
    for (let at = 0; at < old.length; at += 2) this.#append({ start: old[at] ?? 0n, end: old[at + 1] ?? 0n });
  }

  /** Index of the first range that ends after an offset. A copy asks for one range after the other. */
  #find(offset: bigint): number {
    const near = this.#cursor;
    for (const index of [near, near + 1]) {
      const isFirst = index === 0 || this.#endOf(index - 1) <= offset;
      if (index < this.#length && isFirst && this.#endOf(index) > offset) return index;
    }
    let low = 0;
    let high = this.#length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#endOf(middle) > offset) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
