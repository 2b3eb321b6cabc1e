import { randomBytes } from 'node:crypto';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createByteSink } from './sink.ts';
import type { ByteSink } from './sink.ts';

let directory: string;
let path: string;
let handle: FileHandle;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'wcc-sink-'));
  path = join(directory, 'file');
  handle = await open(path, 'w');
});

afterEach(async () => {
  await handle.close();
  await rm(directory, { recursive: true });
});

/** As the HTTP parser makes them: each in memory of its own. */
const chunkOf = (bytes: Buffer): Buffer => Buffer.from(new Uint8Array(bytes).buffer);

function sinkAt(offsetBytes: number): ByteSink {
  return createByteSink({ handle, offsetBytes, onRoom: () => {} });
}

describe('the sink of an upload', () => {
  it('writes every byte to its place, however it comes', async () => {
    const parts = fc.array(fc.integer({ min: 0, max: 200_000 }), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(parts, fc.nat(5000), async (sizes, offsetBytes) => {
        await handle.truncate(0);
        const content = randomBytes(sizes.reduce((sum, size) => sum + size, 0));
        const sink = sinkAt(offsetBytes);
        let at = 0;
        for (const size of sizes) {
          sink.put(chunkOf(content.subarray(at, at + size)));
          at += size;
          if (sink.isFull) await sink.drained();
        }
        await sink.drained();
        expect(sink.writtenBytes).toBe(offsetBytes + content.length);
        expect(sink.takenBytes).toBe(sink.writtenBytes);
        const written = await readFile(path);
        if (content.length > 0) expect(written.subarray(offsetBytes).equals(content)).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  it('gives the memory of what it has written back at once', async () => {
    const sink = sinkAt(0);
    const chunks = Array.from({ length: 8 }, () => chunkOf(randomBytes(65_536)));
    for (const chunk of chunks) sink.put(chunk);
    await sink.drained();
    expect(chunks.map(({ length }) => length)).toEqual(chunks.map(() => 0));
  });

  it('leaves memory alone that belongs to others too', async () => {
    const sink = sinkAt(0);
    const shared = Buffer.from(new Uint8Array(randomBytes(200)).buffer, 100, 100);
    const before = Buffer.from(shared);
    sink.put(shared);
    await sink.drained();
    expect(shared.equals(before)).toBe(true);
    expect((await readFile(path)).equals(before)).toBe(true);
  });

  it('is full while more is gathered than a write takes, and has room when it is written', async () => {
    let told = 0;
    const sink = createByteSink({ handle, offsetBytes: 0, onRoom: () => (told += 1) });
    for (let megabytes = 0; megabytes < 2; megabytes += 1) sink.put(chunkOf(randomBytes(1024 ** 2)));
    expect(sink.isFull).toBe(true);
    await sink.drained();
    expect(sink.isFull).toBe(false);
    expect(told).toBe(2);
  });

  it('counts nothing behind a write that failed', async () => {
    const readOnly = await open(path, 'r');
    try {
      const sink = createByteSink({ handle: readOnly, offsetBytes: 0, onRoom: () => {} });
      for (let parts = 0; parts < 3; parts += 1) sink.put(chunkOf(randomBytes(400_000)));
      await sink.drained();
      expect(sink.failure?.error).toMatchObject({ code: 'EBADF' });
      expect(sink.writtenBytes).toBe(0);
      sink.reset(0);
      expect(sink).toMatchObject({ failure: null, takenBytes: 0 });
    } finally {
      await readOnly.close();
    }
  });
});
