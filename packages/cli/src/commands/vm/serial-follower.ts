/** Larger than any log. A longer output has lost its start and cannot be compared. */
const maxBytes = 2 * 1024 ** 2;

/**
 * Removes repeated output after a reconnect. Every connection starts with the whole log; the part already written is
 * skipped. A log that was restarted or cut is written from its start.
 */
export class SerialFollower {
  #written: Buffer[] = [];
  #writtenBytes = 0;
  /** Output to compare with; null when all further bytes are new. */
  #expected: Buffer | null = null;
  #matchedBytes = 0;

  /** Call it at the start of each connection. */
  connected(): void {
    const isComparable = this.#writtenBytes > 0 && this.#writtenBytes <= maxBytes;
    this.#expected = isComparable ? Buffer.concat(this.#written) : null;
    this.#matchedBytes = 0;
    if (!isComparable) [this.#written, this.#writtenBytes] = [[], 0];
  }

  /** @returns the part of the bytes that was not written before */
  newPartOf(bytes: Buffer): Buffer {
    const expected = this.#expected;
    if (expected === null) return this.#record(bytes);
    const length = Math.min(bytes.length, expected.length - this.#matchedBytes);
    const isSame = bytes
      .subarray(0, length)
      .equals(expected.subarray(this.#matchedBytes, this.#matchedBytes + length));
    if (isSame) {
      this.#matchedBytes += length;
      if (this.#matchedBytes === expected.length) this.#expected = null;
      return this.#record(bytes.subarray(length));
    }
    const start = expected.subarray(0, this.#matchedBytes);
    this.#expected = null;
    [this.#written, this.#writtenBytes] = [[], 0];
    return this.#record(Buffer.concat([start, bytes]));
  }

  #record(bytes: Buffer): Buffer {
    if (bytes.length > 0 && this.#writtenBytes <= maxBytes) this.#written.push(bytes);
    this.#writtenBytes += bytes.length;
    return bytes;
  }
}
