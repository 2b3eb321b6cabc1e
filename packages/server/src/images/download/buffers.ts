/** Memory for the bytes of downloads, between the file and the socket. New memory for each read would be garbage. */
export interface BufferPool {
  /** A large buffer while few of them are lent, otherwise a small one. Its old content may belong to another image. */
  take(): Buffer;
  /** Call it only when neither the file nor the socket uses the buffer any more. */
  giveBack(buffer: Buffer): void;
  /** The system may still read the buffer, so no other download gets it. */
  abandon(buffer: Buffer): void;
  /** Bytes that downloads hold now. */
  readonly lentBytes: number;
}

export interface BufferPoolOptions {
  /** @default 524288 */
  largeBytes?: number;
  /** Large buffers that may be lent at one time. @default 64 */
  maxLarge?: number;
  /** @default 131072 */
  smallBytes?: number;
  /** Buffers of each size that are kept for the next download. @default 16 */
  maxKept?: number;
}

/**
 * Readers that do not read hold their buffers. So the large ones are limited, and further downloads get small ones: each
 * is slower, but none waits for another reader.
 */
export function createBufferPool(options: BufferPoolOptions = {}): BufferPool {
  const { largeBytes = 512 * 1024, maxLarge = 64, smallBytes = 128 * 1024, maxKept = 16 } = options;
  const kept = new Map<number, Buffer[]>([
    [largeBytes, []],
    [smallBytes, []],
  ]);
  const lent = new Set<Buffer>();
  let lentLarge = 0;
  const end = (buffer: Buffer): void => {
    if (!lent.delete(buffer)) throw new Error('The buffer is not lent.');
    if (buffer.length === largeBytes) lentLarge -= 1;
  };
  return {
    take() {
      const size = lentLarge < maxLarge ? largeBytes : smallBytes;
      const buffer = kept.get(size)?.pop() ?? Buffer.allocUnsafeSlow(size);
      if (size === largeBytes) lentLarge += 1;
      lent.add(buffer);
      return buffer;
    },
    giveBack(buffer) {
      end(buffer);
      const others = kept.get(buffer.length);
      if (others !== undefined && others.length < maxKept) others.push(buffer);
    },
    abandon: end,
    get lentBytes() {
      return [...lent].reduce((sum, { length }) => sum + length, 0);
    },
  };
}
