const startBytes = 256;
const end = 0;

/** File names in one growing buffer: a list of a million names takes the memory of their bytes. */
export class NameList {
  #bytes: Buffer<ArrayBuffer> = Buffer.alloc(0);
  #length = 0;
  #at = 0;

  add(name: Uint8Array): void {
    const needed = this.#length + name.length + 1;
    if (needed > this.#bytes.length) {
      const larger = Buffer.alloc(Math.max(startBytes, needed, this.#bytes.length * 2));
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
    }
    this.#bytes.set(name, this.#length);
    this.#bytes[needed - 1] = end;
    this.#length = needed;
  }

  /** The next name in the order of `add`; null after the last. */
  next(): Buffer | null {
    if (this.#at === this.#length) return null;
    const stop = this.#bytes.indexOf(end, this.#at);
    const name = Buffer.from(this.#bytes.subarray(this.#at, stop));
    this.#at = stop + 1;
    return name;
  }
}
