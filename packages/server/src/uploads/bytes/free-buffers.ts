import { MessageChannel } from 'node:worker_threads';

const { port1: nowhere } = new MessageChannel();
nowhere.close();

/**
 * Gives the memory of buffers back at once; they are empty afterwards. A request's chunks are garbage as soon as
 * they are written, but the engine collects memory outside its heap only when 32 MiB of it lie about: so much would
 * stay in use, and each chunk would come into memory that no cache holds.
 *
 * By the HTML standard, "message port post message steps", what is transferred is detached even when the port is
 * closed; and nobody is there who could keep it. (`ArrayBuffer.prototype.transfer` came with Node 22 only.)
 *
 * @param chunks nobody else may hold them; those that share their memory with others are left alone
 */
export function release(chunks: readonly Buffer[]): void {
  const own = chunks
    .filter(({ byteLength, buffer }) => byteLength > 0 && byteLength === buffer.byteLength)
    .map(({ buffer }) => buffer as ArrayBuffer);
  if (own.length > 0) nowhere.postMessage(null, own);
}
