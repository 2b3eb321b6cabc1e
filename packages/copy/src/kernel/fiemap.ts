/** A mapped range of a file. */
export interface MappedRange {
  start: bigint;
  end: bigint;
  /** The blocks are allocated, and their content has never been written: they read as zeros. */
  isUnwritten: boolean;
}

/** FS_IOC_FIEMAP: the number of the ioctl. */
export const fiemapRequest = 0xc020660b;

const headBytes = 32;
const extentBytes = 56;
/** Extents per call, so that a file with a million extents needs no large buffer. */
const extentsPerCall = 256;

// Offsets in `struct fiemap`.
const lengthAt = 8;
const flagsAt = 16;
const mappedAt = 20;
const countAt = 24;
// Offsets in `struct fiemap_extent`.
const extentLengthAt = 16;
const extentFlagsAt = 40;

/** Writes dirty pages back first: until then, a range with new content may still be called unwritten. */
const flagSync = 1;
const extentLast = 0x1;
const extentUnwritten = 0x800;
const toEnd = 2n ** 63n - 1n;

/** The argument of the ioctl: asks for the ranges from `offset` on. */
export function fiemapArgument(offset: bigint, isSynced: boolean): Buffer {
  const argument = Buffer.alloc(headBytes + extentBytes * extentsPerCall);
  argument.writeBigUInt64LE(offset, 0);
  argument.writeBigUInt64LE(toEnd - offset, lengthAt);
  argument.writeUInt32LE(isSynced ? flagSync : 0, flagsAt);
  argument.writeUInt32LE(extentsPerCall, countAt);
  return argument;
}

/** The answer in the same buffer. `isLast`: no range follows. */
export function readFiemap(answer: Buffer): { ranges: MappedRange[]; isLast: boolean } {
  const mapped = answer.readUInt32LE(mappedAt);
  let isLast = mapped === 0;
  const ranges = Array.from({ length: mapped }, (_, index) => {
    const at = headBytes + index * extentBytes;
    const start = answer.readBigUInt64LE(at);
    const flags = answer.readUInt32LE(at + extentFlagsAt);
    isLast ||= (flags & extentLast) !== 0;
    const end = start + answer.readBigUInt64LE(at + extentLengthAt);
    return { start, end, isUnwritten: (flags & extentUnwritten) !== 0 };
  });
  return { ranges, isLast };
}
