import { randomBytes } from 'node:crypto';
import { appendFile, mkdtemp, open, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { identityOf } from '@wcc/copy/recovery';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createBufferPool } from './buffers.ts';
import type { BufferPool } from './buffers.ts';
import { createChecksums } from './checksum.ts';
import type { OpenImage } from './open.ts';
import { sendImage } from './send.ts';
import { createSlowClient } from './slow-client.testkit.ts';
import type { SlowClient } from './slow-client.testkit.ts';

const KiB = 1024;
let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'wcc-send-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

async function openBytes(name: string, bytes: Buffer): Promise<OpenImage> {
  const path = join(directory, name);
  await writeFile(path, bytes);
  const file = await open(path, 'r');
  const stat = await file.stat({ bigint: true });
  const facts = { sizeBytes: bytes.length, etag: '"1"', modifiedAt: stat.mtime };
  return { file, id: 100, name, identity: identityOf(stat), ...facts };
}

interface Sending {
  client: SlowClient;
  done: Promise<void>;
  hasBegun: () => boolean;
}

function startSending(image: OpenImage, buffers: BufferPool): Sending {
  const client = createSlowClient();
  let hasBegun = false;
  const begin = (): SlowClient['stream'] => {
    hasBegun = true;
    return client.stream;
  };
  const range = { start: 0, end: image.sizeBytes };
  const done = sendImage(image, { range, buffers, connection: client.stream, begin });
  done.catch(() => {});
  return { client, done, hasBegun: () => hasBegun };
}

/** Takes everything that is sent until the end. */
async function receive({ client, done }: Sending): Promise<Buffer> {
  const parts: Buffer[] = [];
  let isOver = false;
  void done.finally(() => (isOver = true)).catch(() => {});
  while (!isOver) {
    const bytes = client.take();
    if (bytes !== null) parts.push(Buffer.from(bytes));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await done;
  return Buffer.concat(parts);
}

const smallPool = { largeBytes: 64 * KiB, smallBytes: 16 * KiB };

describe('E: the buffers of downloads', () => {
  it('E: are used again, so a download of any length needs two of them', async () => {
    const bytes = randomBytes(1024 * KiB + 7);
    const buffers = createBufferPool(smallPool);
    const seen = new Set<ArrayBufferLike>();
    const pool: BufferPool = {
      ...buffers,
      take() {
        const buffer = buffers.take();
        seen.add(buffer.buffer);
        return buffer;
      },
    };
    expect((await receive(startSending(await openBytes('a', bytes), pool))).equals(bytes)).toBe(true);
    expect([seen.size, buffers.lentBytes]).toEqual([2, 0]);
  });

  it('E: never return to the pool before the system has taken their bytes, also after the client left', async () => {
    const buffers = createBufferPool(smallPool);
    const first = startSending(await openBytes('a', Buffer.alloc(256 * KiB, 'a')), buffers);
    await expect.poll(() => first.client.stream.writableLength).toBe(128 * KiB);
    const second = startSending(await openBytes('b', Buffer.alloc(256 * KiB, 'b')), buffers);
    await expect.poll(() => second.client.stream.writableLength).toBe(128 * KiB);
    second.client.stream.destroy();
    await second.done;
    const third = await receive(startSending(await openBytes('c', Buffer.alloc(256 * KiB, 'c')), buffers));
    expect(third.equals(Buffer.alloc(256 * KiB, 'c'))).toBe(true);
    // A write that the system completes late.
    const late = second.client.take();
    expect(late?.equals(Buffer.alloc(64 * KiB, 'b'))).toBe(true);
    expect((await receive(first)).equals(Buffer.alloc(256 * KiB, 'a'))).toBe(true);
    expect(buffers.lentBytes).toBe(0);
  });

  it('E: that slow readers hold are bounded, and keep no other reader from its end', async () => {
    const buffers = createBufferPool({ ...smallPool, maxLarge: 8 });
    const bytes = randomBytes(300 * KiB);
    const stuck = await Promise.all(
      Array.from({ length: 40 }, async (_, index) =>
        startSending(await openBytes(`stuck-${index}`, bytes), buffers),
      ),
    );
    const boundBytes = 8 * 64 * KiB + (80 - 8) * 16 * KiB;
    await expect.poll(() => buffers.lentBytes).toBe(boundBytes);
    expect((await receive(startSending(await openBytes('quick', bytes), buffers))).equals(bytes)).toBe(true);
    expect(buffers.lentBytes).toBe(boundBytes);
    for (const { client, done } of stuck) {
      client.stream.destroy();
      await done;
    }
    expect(buffers.lentBytes).toBe(0);
  });

  it('E: of a download that cannot be read are free again', async () => {
    const buffers = createBufferPool(smallPool);
    const image = await openBytes('a', randomBytes(64 * KiB));
    await truncate(join(directory, 'a'), 0);
    const sending = startSending(image, buffers);
    await expect(sending.done).rejects.toMatchObject({ code: 'source_changed' });
    expect([sending.hasBegun(), buffers.lentBytes]).toEqual([false, 0]);
  });
});

describe('the bytes of a download', () => {
  it('are none of an empty file, and the answer ends', async () => {
    const sending = startSending(await openBytes('empty', Buffer.alloc(0)), createBufferPool());
    await sending.done;
    expect([sending.hasBegun(), sending.client.stream.writableEnded]).toEqual([true, true]);
  });

  it('are too few when the file became longer, and end the answer never', async () => {
    const bytes = randomBytes(300 * KiB);
    const sending = startSending(await openBytes('a', bytes), createBufferPool(smallPool));
    await expect.poll(() => sending.client.stream.writableLength).toBe(128 * KiB);
    await appendFile(join(directory, 'a'), 'more');
    await expect(receive(sending)).rejects.toMatchObject({ code: 'source_changed' });
    expect(sending.client.stream.writableEnded).toBe(false);
  });

  it('are all of a file that is renamed in the middle', async () => {
    const bytes = randomBytes(300 * KiB);
    const sending = startSending(await openBytes('a', bytes), createBufferPool(smallPool));
    await expect.poll(() => sending.client.stream.writableLength).toBe(128 * KiB);
    await rename(join(directory, 'a'), join(directory, 'b'));
    expect((await receive(sending)).equals(bytes)).toBe(true);
  });
});

it('a checksum depends on every byte and its place, not on how the bytes were divided', () => {
  const startSum = createChecksums();
  const digestOf = (...parts: Buffer[]): string => {
    const sum = startSum();
    for (const part of parts) sum.add(part);
    return sum.digest().toString('hex');
  };
  const bytes = randomBytes(70_001);
  const whole = digestOf(bytes);
  expect(digestOf(bytes.subarray(0, 33), bytes.subarray(33, 65_536), bytes.subarray(65_536))).toBe(whole);
  for (const at of [0, 33, 70_000]) {
    const other = Buffer.from(bytes);
    other[at] = (other[at] ?? 0) ^ 1;
    expect(digestOf(other)).not.toBe(whole);
  }
  expect(digestOf(bytes.subarray(33), bytes.subarray(0, 33))).not.toBe(whole);
  expect(digestOf()).not.toBe(digestOf(Buffer.alloc(1)));
});
