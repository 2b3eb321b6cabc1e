import { hashBytes } from './shard.ts';

/** The table has at least this many places for each key. */
const placesPerKey = 2;
const firstCapacity = 1024;

/** Keys of one length, in memory without an object for each. */
export class KeySet {
  readonly #keyBytes: number;
  #keys: Buffer;
  /** Number of the key in each place, from 1 on; 0 is a free place. */
  #places: Int32Array;
  #count = 0;

  constructor(keyBytes: number) {
    this.#keyBytes = keyBytes;
    this.#keys = Buffer.alloc(firstCapacity * keyBytes);
    this.#places = new Int32Array(firstCapacity * placesPerKey);
  }

  get size(): number {
    return this.#count;
  }

  has(key: Buffer): boolean {
    return this.#places[this.#placeOf(key)] !== 0;
  }

  add(key: Buffer): void {
    if ((this.#count + 1) * this.#keyBytes > this.#keys.length) this.#grow();
    const place = this.#placeOf(key);
    if (this.#places[place] !== 0) return;
    key.copy(this.#keys, this.#count * this.#keyBytes);
    this.#count += 1;
    this.#places[place] = this.#count;
  }

  /** The place of the key, or the free place where it belongs. The length of the table is a power of two. */
  #placeOf(key: Buffer): number {
    const mask = this.#places.length - 1;
    let place = hashBytes(key) & mask;
    for (;;) {
      const number = this.#places[place] ?? 0;
      if (number === 0 || this.#keyAt(number - 1).equals(key)) return place;
      place = (place + 1) & mask;
    }
  }

  #keyAt(index: number): Buffer {
    return this.#keys.subarray(index * this.#keyBytes, (index + 1) * this.#keyBytes);
  }

  #grow(): void {
    this.#keys = Buffer.concat([this.#keys], this.#keys.length * 2);
    this.#places = new Int32Array(this.#places.length * 2);
    for (let index = 0; index < this.#count; index += 1)
      this.#places[this.#placeOf(this.#keyAt(index))] = index + 1;
  }
}
