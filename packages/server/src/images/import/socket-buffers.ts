import { freeBuffers } from '@wcc/copy/receive';
import type { IncomingMessage } from 'node:http';

/**
 * Frees the memory of each read of the connection at once. The parser of Node's client copies every part of a body, so
 * the 64 KiB that the socket read are garbage, and V8 would mark its whole heap every few tens of MiB of them.
 *
 * The connection must not be used for an earlier request: the listener must come after that of the parser. A part that
 * is passed on during its read shows whether the parser copies; nothing is freed before.
 */
export function freeSocketBuffers(answer: IncomingMessage): void {
  const { socket } = answer;
  let copies: boolean | null = null;
  let part: Buffer | null = null;
  const onPart = (bytes: Buffer): void => void (part = bytes);
  const beforeParser = (): void => void (part = null);
  const afterParser = (read: Buffer): void => {
    if (part !== null) copies ??= part.buffer !== read.buffer;
    if (copies === true) freeBuffers([read]);
  };
  answer.on('data', onPart);
  socket.prependListener('data', beforeParser);
  socket.on('data', afterParser);
  answer.once('close', () => {
    answer.off('data', onPart);
    socket.off('data', beforeParser);
    socket.off('data', afterParser);
  });
}
