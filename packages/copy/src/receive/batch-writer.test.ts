import { randomBytes } from 'node:crypto';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createBatchWriter } from './batch-writer.ts';
import type { BatchWriter } from './batch-writer.ts';

const batchBytes = 256 * 1024;

let directory: string;
let path: string;
let handle: FileHandle;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'wcc-batches-'));
  path = join(directory, 'file');
  handle = await open(path, 'w');
});

afterEach(async () => {
  await handle.close();
  await rm(directory, { recursive: true });
});

/** A chunk in its own memory, as the HTTP parser makes chunks. */
const chunkOf = (bytes: Buffer): Buffer => Buffer.from(new Uint8Array(bytes).buffer);

function writerAt(offsetBytes: number): BatchWriter {
  return createBatchWriter({ handle, offsetBytes, batchBytes, onWritten: () => {} });
}

describe('batch writer', () => {
  it('writes every byte to its offset for any chunk sizes', async () => {
    const parts = fc.array(fc.integer({ min: 0, max: 200_000 }), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(parts, fc.nat(5000), async (sizes, offsetBytes) => {
        await handle.truncate(0);
        const content = randomBytes(sizes.reduce((sum, size) => sum + size, 0));
        const writer = writerAt(offsetBytes);
        let at = 0;
        for (const size of sizes) {
          writer.put(chunkOf(content.subarray(at, at + size)));
          at += size;
          if (writer.isFull) await writer.drained();
        }
        await writer.drained();
        expect(writer.writtenBytes).toBe(offsetBytes + content.length);
        expect(writer.takenBytes).toBe(writer.writtenBytes);
        const written = await readFile(path);
        if (content.length > 0) expect(written.subarray(offsetBytes).equals(content)).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  it('frees the memory of chunks once they are written', async () => {
    const writer = writerAt(0);
    const chunks = Array.from({ length: 8 }, () => chunkOf(randomBytes(65_536)));
    for (const chunk of chunks) writer.put(chunk);
    await writer.drained();
    expect(chunks.map(({ length }) => length)).toEqual(chunks.map(() => 0));
  });

  it('does not free memory that other buffers share', async () => {
    const writer = writerAt(0);
    const shared = Buffer.from(new Uint8Array(randomBytes(200)).buffer, 100, 100);
    const before = Buffer.from(shared);
    writer.put(shared);
    await writer.drained();
    expect(shared.equals(before)).toBe(true);
    expect((await readFile(path)).equals(before)).toBe(true);
  });

  it('is full with four gathered batches, and not full once they are written', async () => {
    let writes = 0;
    const writer = createBatchWriter({ handle, offsetBytes: 0, batchBytes, onWritten: () => (writes += 1) });
    for (let megabytes = 0; megabytes < 2; megabytes += 1) writer.put(chunkOf(randomBytes(1024 ** 2)));
    expect(writer.isFull).toBe(true);
    await writer.drained();
    expect(writer.isFull).toBe(false);
    expect(writes).toBe(2);
  });

  it('counts no bytes after a failed write', async () => {
    const readOnly = await open(path, 'r');
    try {
      const writer = createBatchWriter({ handle: readOnly, offsetBytes: 0, batchBytes, onWritten: () => {} });
      for (let parts = 0; parts < 3; parts += 1) writer.put(chunkOf(randomBytes(400_000)));
      await writer.drained();
      expect(writer.failure?.error).toMatchObject({ code: 'EBADF' });
      expect(writer.writtenBytes).toBe(0);
      writer.reset(0);
      expect(writer).toMatchObject({ failure: null, takenBytes: 0 });
    } finally {
      await readOnly.close();
    }
  });
});
