/** More than a log holds: what is longer was cut at its start, and cannot be compared. */
const mostBytes = 2 * 1024 ** 2;

/**
 * Every connection begins with the whole log as it is then. What a connection before told already is swallowed; a log that began
 * anew, or was cut, is told from its start.
 */
export class SerialFollower {
  #told: Buffer[] = [];
  #toldBytes = 0;
  /** What is still to be compared; null: everything that comes is new. */
  #expected: Buffer | null = null;
  #swallowed = 0;

  /** A connection begins. */
  begin(): void {
    const isComparable = this.#toldBytes > 0 && this.#toldBytes <= mostBytes;
    this.#expected = isComparable ? Buffer.concat(this.#told) : null;
    this.#swallowed = 0;
    if (!isComparable) [this.#told, this.#toldBytes] = [[], 0];
  }

  /** The part that was not told yet. */
  take(bytes: Buffer): Buffer {
    const expected = this.#expected;
    if (expected === null) return this.#tell(bytes);
    const length = Math.min(bytes.length, expected.length - this.#swallowed);
    const isSame = bytes
      .subarray(0, length)
      .equals(expected.subarray(this.#swallowed, this.#swallowed + length));
    if (isSame) {
      this.#swallowed += length;
      if (this.#swallowed === expected.length) this.#expected = null;
      return this.#tell(bytes.subarray(length));
    }
    const start = expected.subarray(0, this.#swallowed);
    this.#expected = null;
    [this.#told, this.#toldBytes] = [[], 0];
    return this.#tell(Buffer.concat([start, bytes]));
  }

  #tell(bytes: Buffer): Buffer {
    if (bytes.length > 0 && this.#toldBytes <= mostBytes) this.#told.push(bytes);
    this.#toldBytes += bytes.length;
    return bytes;
  }
}
