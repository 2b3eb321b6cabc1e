import { createReadStream, createWriteStream } from 'node:fs';
import { open, stat, truncate } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { serialLimitBytes } from '../hypervisor.ts';
import type { FollowSerialOptions } from '../hypervisor.ts';

/** `trimSerialLog` keeps the cut part here, so that a reader gets a full tail even just after a cut. */
const olderPath = (path: string): string => `${path}.1`;
/** How often a follower polls; a reader does not notice a tenth of a second. */
const pollMs = 100;

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => null))?.size ?? 0;
}

async function readFrom(path: string, start: number): Promise<Buffer> {
  const handle = await open(path, 'r').catch(() => null);
  if (!handle) return Buffer.alloc(0);
  try {
    const { size } = await handle.stat();
    const bytes = Buffer.alloc(Math.max(0, Math.min(size - start, serialLimitBytes)));
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, start);
    return bytes.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** The newest bytes of the log. */
export async function readSerialLog(path: string): Promise<Buffer> {
  return (await readTail(path)).bytes;
}

/** The newest bytes, and the offset in the file at which they end. */
async function readTail(path: string): Promise<{ bytes: Buffer; end: number }> {
  const start = Math.max(0, (await sizeOf(path)) - serialLimitBytes);
  const newest = await readFrom(path, start);
  const end = start + newest.length;
  if (newest.length >= serialLimitBytes) return { bytes: newest, end };
  const before = await readFrom(olderPath(path), 0);
  return { bytes: Buffer.concat([before, newest]).subarray(-serialLimitBytes), end };
}

/**
 * Cuts a log that grew too large. The hypervisor writes in append mode and continues at the new end. Bytes written between the
 * copy and the cut are lost.
 */
export async function trimSerialLog(path: string): Promise<void> {
  const size = await sizeOf(path);
  if (size <= serialLimitBytes) return;
  // Copies only the newest part, because the disk may have no space for a second copy of a large log.
  const from = createReadStream(path, { start: size - serialLimitBytes, end: size - 1 });
  await pipeline(from, createWriteStream(olderPath(path), { mode: 0o600 }));
  await truncate(path, 0);
}

/** Shows a reader that the log was cut or replaced, and that output may be missing. */
export const restartNotice: Buffer = Buffer.from(
  '\r\n[wcc: the log begins again; output may be missing]\r\n',
);

/** As many bytes before the position of a follower show whether the log is still the one that it has read. */
const overlapBytes = 256;

/**
 * Yields the newest bytes, which may be none, then new ones as they arrive, until the signal aborts. After a cut of the
 * log it yields {@link restartNotice}, then the log from its new beginning.
 */
export async function* followSerialLog(
  path: string,
  { signal, tailBytes = serialLimitBytes }: FollowSerialOptions,
): AsyncGenerator<Buffer, void, void> {
  const tail = await readTail(path);
  let at = tail.end;
  // Of this file only: the tail may begin with the part that was cut off.
  let seen = lastOf(tail.bytes.subarray(Math.max(0, tail.bytes.length - at)));
  yield tail.bytes.subarray(Math.max(0, tail.bytes.length - tailBytes));
  while (!signal.aborted) {
    const found = await readBehind(path, at, seen);
    if (found === 'other') {
      [at, seen] = [0, Buffer.alloc(0)];
      yield restartNotice;
      continue;
    }
    at += found.length;
    seen = lastOf(Buffer.concat([seen, found]));
    if (found.length > 0) yield found;
    else await sleep(pollMs, undefined, { signal }).catch(() => {});
  }
}

const lastOf = (bytes: Buffer): Buffer => (bytes.length > 0 ? bytes.subarray(-overlapBytes) : bytes);

/**
 * Reads the new bytes. A log that was cut may be longer again before the next look, so its size alone proves nothing.
 * @param seen the bytes right before `at`
 * @returns `other` if the log does not have them there any more
 */
async function readBehind(path: string, at: number, seen: Buffer): Promise<Buffer | 'other'> {
  const bytes = await readFrom(path, at - seen.length);
  return bytes.subarray(0, seen.length).equals(seen) ? bytes.subarray(seen.length) : 'other';
}
