import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import type { Stats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { open, stat } from 'node:fs/promises';
import { CliError } from '../runtime/errors.ts';

const readBytes = 1_048_576;

/** A file to upload, with its state at the start of the upload. */
export class LocalFile {
  readonly path: string;
  readonly sizeBytes: number;
  /** Milliseconds since the epoch. */
  readonly modifiedMs: number;
  readonly #handle: FileHandle;
  readonly #identity: string;

  private constructor(path: string, handle: FileHandle, stats: Stats) {
    this.path = path;
    this.#handle = handle;
    this.sizeBytes = stats.size;
    this.modifiedMs = Math.floor(stats.mtimeMs);
    this.#identity = identityOf(stats);
  }

  /** @throws CliError `local_file` if the path is not a readable regular file */
  static async open(path: string): Promise<LocalFile> {
    const refuse = (cause: unknown): never => {
      throw new CliError('local_file', `Cannot read ${path}.`, { code: codeOf(cause), cause });
    };
    // Before it is opened: that waits for ever with a FIFO, and has an effect on some devices.
    const before = await stat(path).catch(refuse);
    if (before.isFile()) {
      const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch(refuse);
      const stats = await handle.stat();
      if (stats.isFile()) return new LocalFile(path, handle, stats);
      await handle.close();
    }
    throw new CliError('local_file', `${path} is not a regular file.`, { code: 'not_regular' });
  }

  /** @throws CliError if the file was removed or has another size, time or identity */
  async assertUnchanged(): Promise<void> {
    const stats = await stat(this.path).catch(() => null);
    if (stats !== null && identityOf(stats) === this.#identity) return;
    const what = stats === null ? 'was removed' : 'changed';
    throw new CliError('local_file', `${this.path} ${what} during the upload.`, {
      code: 'file_changed',
      hint: 'Nothing was published. Start again when no program writes to the file.',
    });
  }

  /**
   * Reads the file from an offset in pieces that the caller may keep. Checks before each piece that the file is
   * unchanged, so that the last piece of a changed file is never sent.
   */
  async *read(offsetBytes: number, pieceBytes: number = readBytes): AsyncGenerator<Buffer> {
    let position = offsetBytes;
    while (position < this.sizeBytes) {
      const wanted = Math.min(pieceBytes, this.sizeBytes - position);
      const { buffer, bytesRead } = await this.#handle.read(Buffer.allocUnsafe(wanted), 0, wanted, position);
      await this.assertUnchanged();
      if (bytesRead === 0)
        throw new CliError('local_file', `${this.path} is shorter than expected.`, { code: 'file_changed' });
      position += bytesRead;
      yield bytesRead === wanted ? buffer : buffer.subarray(0, bytesRead);
    }
  }

  /** Reads one range; shorter at the end of the file. */
  async readRange(offsetBytes: number, lengthBytes: number): Promise<Uint8Array> {
    const bytes = Buffer.alloc(lengthBytes);
    let filled = 0;
    while (filled < lengthBytes) {
      const left = lengthBytes - filled;
      const { bytesRead } = await this.#handle.read(bytes, filled, left, offsetBytes + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return bytes.subarray(0, filled);
  }

  /** SHA-256 in hex of a range. @default the whole file */
  async digest(offsetBytes = 0, lengthBytes: number = this.sizeBytes): Promise<string> {
    const hash = createHash('sha256');
    const end = offsetBytes + lengthBytes;
    const buffer = Buffer.allocUnsafe(Math.min(readBytes, Math.max(1, lengthBytes)));
    let position = offsetBytes;
    while (position < end) {
      const { bytesRead } = await this.#handle.read(
        buffer,
        0,
        Math.min(buffer.length, end - position),
        position,
      );
      if (bytesRead === 0) break;
      hash.update(buffer.subarray(0, bytesRead));
      position += bytesRead;
    }
    await this.assertUnchanged();
    return hash.digest('hex');
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

function identityOf({ dev, ino, size, mtimeMs }: Stats): string {
  return [dev, ino, size, mtimeMs].join(':');
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'local_file';
}
