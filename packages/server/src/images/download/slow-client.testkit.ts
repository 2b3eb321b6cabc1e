import { Writable } from 'node:stream';
import { createBufferPool } from './buffers.ts';
import type { OpenImage } from './open.ts';
import { sendImage } from './send.ts';
import type { Range } from './unchanged.ts';

/** A client that takes bytes only when it is asked to. */
export interface SlowClient {
  /** Its connection and its answer in one. */
  readonly stream: Writable;
  /** Takes what was sent first. Null: nothing was sent since. The memory is that of the sender. */
  take(): Buffer | null;
}

export function createSlowClient(): SlowClient {
  let sent: { bytes: Buffer; done: (error?: Error) => void } | null = null;
  const stream = new Writable({ write: (bytes: Buffer, _encoding, done) => void (sent = { bytes, done }) });
  return {
    stream,
    take() {
      const taken = sent;
      sent = null;
      taken?.done();
      return taken?.bytes ?? null;
    },
  };
}

/** Downloads a part of an image, one buffer after the other. @throws the error that ends the download early */
export async function* readSlowly(image: OpenImage, range: Range): AsyncGenerator<Buffer> {
  const waiting: { bytes: Buffer; done: () => void }[] = [];
  let wake = (): void => {};
  const stream = new Writable({
    write(bytes: Buffer, _encoding, done) {
      waiting.push({ bytes: Buffer.from(bytes), done });
      wake();
    },
  });
  let isOver = false;
  const buffers = createBufferPool();
  const sending = sendImage(image, { range, buffers, connection: stream, begin: () => stream }).finally(
    () => {
      isOver = true;
      wake();
    },
  );
  sending.catch(() => {});
  for (;;) {
    const next = waiting.shift();
    if (next !== undefined) {
      yield next.bytes;
      next.done();
    } else if (isOver) break;
    else await new Promise<void>((resolve) => (wake = resolve));
  }
  await sending;
}
