import type { FileHandle } from 'node:fs/promises';

/** Minimum size of a hole; smaller holes cost more than they save. */
const stepBytes = 65_536;
const zeros = Buffer.alloc(stepBytes);

/** Appends to a file from an offset; runs of zeros become holes. */
export class SparseFile {
  readonly #handle: FileHandle;
  #offset: number;

  constructor(handle: FileHandle, offsetBytes: number) {
    this.#handle = handle;
    this.#offset = offsetBytes;
  }

  get offset(): number {
    return this.#offset;
  }

  async append(piece: Buffer): Promise<void> {
    let start = 0;
    while (start < piece.length) {
      const isHole = isZero(piece, start);
      let end = start;
      // Adjacent blocks of data become one write.
      while (end < piece.length && isZero(piece, end) === isHole)
        end = Math.min(piece.length, end + stepBytes);
      if (!isHole) await this.#write(piece, start, end);
      start = end;
    }
    this.#offset += piece.length;
  }

  /** Sets the length, which includes a hole at the end, and syncs the file. */
  async finish(): Promise<void> {
    await this.#handle.truncate(this.#offset);
    await this.#handle.sync();
  }

  async #write(piece: Buffer, start: number, end: number): Promise<void> {
    let position = start;
    while (position < end) {
      const { bytesWritten } = await this.#handle.write(
        piece,
        position,
        end - position,
        this.#offset + position,
      );
      position += bytesWritten;
    }
  }
}

function isZero(piece: Buffer, start: number): boolean {
  const end = Math.min(piece.length, start + stepBytes);
  return piece.compare(zeros, 0, end - start, start, end) === 0;
}
