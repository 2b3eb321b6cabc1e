/** The file on the user's own computer cannot be read as it was chosen. */
export class FileReadError extends Error {
  override readonly name = 'FileReadError';

  constructor(cause: unknown) {
    super('The file changed or was removed on this computer.', { cause });
  }
}

/** What the engine needs of a `File`. */
export interface LocalFile {
  readonly name: string;
  readonly size: number;
  readonly lastModified: number;
  slice(start: number, end: number): Pick<Blob, 'arrayBuffer'>;
}

/**
 * Reads before anything is sent: of a body that is read while it is sent, a browser only says that the network
 * failed.
 *
 * @throws {FileReadError} when the bytes are not there any more, or are others
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
