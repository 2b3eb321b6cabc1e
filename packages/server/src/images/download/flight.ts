import type { Writable } from 'node:stream';
import type { BufferPool } from './buffers.ts';

/** Buffers of one download: while the connection sends one, the file fills the other. */
const maxBuffers = 2;

/** The buffers of one download on their way to its client. */
export interface Flight {
  /** Resolves with a buffer as soon as fewer than two are on their way; null: the client has left. */
  take(): Promise<Buffer | null>;
  /** Sends the first bytes of a buffer. It returns to the pool when the system has taken them. */
  write(answer: Writable, buffer: Buffer, bytes: number): void;
  /** Resolves when no buffer is on its way. False: the client has left. */
  landed(): Promise<boolean>;
  /** Call it when the file fills no buffer. Buffers that are still on their way never return to the pool. */
  close(): void;
}

export function createFlight(connection: Writable, buffers: BufferPool): Flight {
  let held: Buffer | null = null;
  const flying = new Set<Buffer>();
  let isLost = connection.destroyed;
  let wake = (): void => {};
  const lose = (): void => {
    isLost = true;
    wake();
  };
  // A client may send many requests at once on one connection. The answers to later ones do not report its end.
  connection.setMaxListeners(connection.getMaxListeners() + 1);
  connection.once('close', lose);
  const onWritten = (buffer: Buffer, error: Error | null | undefined): void => {
    // After `close`, the buffer is abandoned already.
    if (!flying.delete(buffer)) return;
    if (error || connection.destroyed) {
      buffers.abandon(buffer);
      lose();
      return;
    }
    buffers.giveBack(buffer);
    wake();
  };
  const untilFewerThan = async (count: number): Promise<boolean> => {
    while (flying.size >= count && !isLost) await new Promise<void>((resolve) => (wake = resolve));
    return flying.size < count;
  };
  return {
    async take() {
      const hasRoom = await untilFewerThan(maxBuffers);
      return (held = hasRoom && !isLost ? buffers.take() : null);
    },
    write(answer, buffer, bytes) {
      held = null;
      flying.add(buffer);
      answer.write(buffer.subarray(0, bytes), (error) => onWritten(buffer, error));
    },
    landed: () => untilFewerThan(1),
    close() {
      connection.off('close', lose);
      connection.setMaxListeners(connection.getMaxListeners() - 1);
      if (held !== null) buffers.giveBack(held);
      held = null;
      for (const buffer of flying) buffers.abandon(buffer);
      flying.clear();
    },
  };
}
