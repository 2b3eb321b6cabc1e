import type { IncomingMessage } from 'node:http';

/** Bytes that wait for their reader before the server must pause. */
const maxWaitingBytes = 256 * 1024;

/**
 * Reads the body of an answer from the moment of its head on. A stream of Node that breaks discards the bytes that were
 * not read yet, so a server that sends little for each connection would never complete a file. This one returns them
 * before the error. One reader.
 */
export function keepBody(answer: IncomingMessage): AsyncIterable<Buffer> {
  const waiting: Buffer[] = [];
  let waitingBytes = 0;
  let end: { error: Error | null } | null = null;
  let wake = (): void => {};
  answer.on('data', (chunk: Buffer) => {
    waiting.push(chunk);
    waitingBytes += chunk.length;
    if (waitingBytes >= maxWaitingBytes) answer.pause();
    wake();
  });
  answer.on('error', (error) => void (end ??= { error }));
  answer.on('close', () => {
    end ??= { error: answer.complete ? null : new Error('the connection ended early') };
    wake();
  });
  return {
    async *[Symbol.asyncIterator]() {
      for (;;) {
        const chunk = waiting.shift();
        if (chunk !== undefined) {
          waitingBytes -= chunk.length;
          yield chunk;
        } else if (end === null) {
          const more = new Promise<void>((resolve) => (wake = resolve));
          answer.resume();
          await more;
        } else if (end.error === null) return;
        else throw end.error;
      }
    },
  };
}
