import { createReadStream, createWriteStream } from 'node:fs';
import { open, stat, truncate } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { serialLimitBytes } from '../hypervisor.ts';
import type { FollowSerialOptions } from '../hypervisor.ts';

/** What was cut off lies beside the log, so that its newest part is never all that is left of a cut a moment ago. */
const older = (path: string): string => `${path}.1`;
/** How often a follower looks. Guests write at their own pace; a tenth of a second is at once for a reader. */
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
  const size = await sizeOf(path);
  const newest = await readFrom(path, Math.max(0, size - serialLimitBytes));
  if (newest.length >= serialLimitBytes) return newest;
  const before = await readFrom(older(path), 0);
  return Buffer.concat([before, newest]).subarray(-serialLimitBytes);
}

/**
 * Cuts a log that grew too large: the hypervisor writes it in append mode and goes on at its new end. Of what comes between
 * copy and cut a few bytes may be lost.
 */
export async function trimSerialLog(path: string): Promise<void> {
  const size = await sizeOf(path);
  if (size <= serialLimitBytes) return;
  // Only the newest part: with nobody to cut it, the log may have become larger than the disk has room for twice.
  const from = createReadStream(path, { start: size - serialLimitBytes, end: size - 1 });
  await pipeline(from, createWriteStream(older(path), { mode: 0o600 }));
  await truncate(path, 0);
}

/** First the newest bytes, then what comes, until the signal. */
export async function* followSerialLog(
  path: string,
  { signal, tailBytes = serialLimitBytes }: FollowSerialOptions,
): AsyncGenerator<Buffer, void, void> {
  let at = await sizeOf(path);
  const log = await readSerialLog(path);
  const first = log.subarray(Math.max(0, log.length - tailBytes));
  if (first.length > 0) yield first;
  while (!signal.aborted) {
    const size = await sizeOf(path);
    // Cut, or begun anew.
    if (size < at) at = 0;
    const bytes = size > at ? await readFrom(path, at) : Buffer.alloc(0);
    at += bytes.length;
    if (bytes.length > 0) yield bytes;
    else await sleep(pollMs, undefined, { signal }).catch(() => {});
  }
}
