import { MessageChannel } from 'node:worker_threads';

const { port1: closedPort } = new MessageChannel();
closedPort.close();

/**
 * Frees the memory of buffers at once; they are empty afterwards. V8 collects memory outside its heap only when 32
 * MiB of it are unused. Until then each new chunk would arrive in memory that no cache holds.
 *
 * Posting to a closed port detaches the transferred buffers (HTML standard, "message port post message steps").
 * `ArrayBuffer.prototype.transfer` does the same, but needs Node 22.
 *
 * @param chunks must not be used afterwards. Chunks that share their memory with other buffers are skipped
 */
export function freeBuffers(chunks: readonly Buffer[]): void {
  const own = chunks
    .filter(({ byteLength, buffer }) => byteLength > 0 && byteLength === buffer.byteLength)
    .map(({ buffer }) => buffer as ArrayBuffer);
  if (own.length > 0) closedPort.postMessage(null, own);
}
