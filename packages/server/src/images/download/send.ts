import type { Writable } from 'node:stream';
import type { BufferPool } from './buffers.ts';
import { createChecksums } from './checksum.ts';
import { createFlight } from './flight.ts';
import type { OpenImage } from './open.ts';
import { assertUnchanged, readBytes } from './unchanged.ts';
import type { Range } from './unchanged.ts';

export interface SendOptions {
  range: Range;
  buffers: BufferPool;
  /** The connection of the client. It may carry further answers. */
  connection: Writable;
  /** Returns the answer, after its status and headers. Called when the first bytes were read. */
  begin: () => Writable;
}

/**
 * Sends bytes of an image and closes its file. The last bytes wait for a check that the file did not change during the
 * download: the download of a changed file is too short instead of looking complete. Resolves when the system has taken
 * all bytes, or the client has left.
 *
 * @throws ApiError `source_changed`; errors of the file and of `begin`. After `begin`, the caller must cut the connection
 */
export async function sendImage(image: OpenImage, options: SendOptions): Promise<void> {
  const flight = createFlight(options.connection, options.buffers);
  const startSum = createChecksums();
  const part = { range: options.range, startSum, sum: startSum() };
  const { start, end } = part.range;
  let answer: Writable | null = null;
  try {
    for (let at = start; at < end;) {
      const buffer = await flight.take();
      if (buffer === null) return;
      const bytes = await readBytes(image.file, buffer, { start: at, end });
      at += bytes.length;
      part.sum.add(bytes);
      if (at >= end) await assertUnchanged(image, part);
      answer ??= options.begin();
      flight.write(answer, buffer, bytes.length);
    }
    answer ??= options.begin();
    if (await flight.landed()) answer.end();
  } finally {
    flight.close();
    await image.file.close();
  }
}
