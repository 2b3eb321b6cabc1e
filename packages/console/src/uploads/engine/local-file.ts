/** The chosen file was changed or removed, or cannot be read. */
export class FileReadError extends Error {
  override readonly name = 'FileReadError';

  constructor(cause: unknown) {
    super('The file changed or was removed on this computer.', { cause });
  }
}

/** The part of `File` that the engine uses. */
export interface LocalFile {
  readonly name: string;
  readonly size: number;
  readonly lastModified: number;
  slice(start: number, end: number): Pick<Blob, 'arrayBuffer'>;
}

/**
 * Reads bytes before they are sent: a browser reports a read error during a request as a network error.
 *
 * @throws {FileReadError} when the file was changed or removed
 */
export async function readSlice(file: LocalFile, start: number, end: number): Promise<ArrayBuffer> {
  let bytes: ArrayBuffer;
  try {
    bytes = await file.slice(start, end).arrayBuffer();
  } catch (cause) {
    throw new FileReadError(cause);
  }
  if (bytes.byteLength !== end - start) throw new FileReadError(`${bytes.byteLength} bytes at ${start}`);
  return bytes;
}
