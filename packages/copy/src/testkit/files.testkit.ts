import { randomFillSync } from 'node:crypto';
import {
  closeSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { CopyError } from '@wcc/copy';
import type { CopyErrorCode, CopyJob, CopyOptions } from '@wcc/copy';

/** Where the conformance suite runs, and with which options. */
export interface TestEnvironment {
  directory: () => string;
  options: CopyOptions;
}

export const kib = 1024;
export const mib = 1024 ** 2;

/** A temporary directory for the tests of a file or a `describe`. `parent` may be a mount. */
export function useDirectory(parent: () => string = tmpdir): () => string {
  let path = '';
  beforeAll(() => {
    path = mkdtempSync(join(parent(), 'wcc-copy-'));
  });
  afterAll(() => rmSync(path, { recursive: true, force: true }));
  return () => path;
}

export interface Piece {
  gapBytes: number;
  dataBytes: number;
}

/** Writes random data after each gap. A gap at the end becomes a hole. */
export function writeLayout(path: string | Buffer, pieces: readonly Piece[], tailGapBytes = 0): void {
  const fd = openSync(path, 'w');
  let at = 0;
  for (const { gapBytes, dataBytes } of pieces) {
    at += gapBytes;
    if (dataBytes > 0) writeSync(fd, randomFillSync(Buffer.alloc(dataBytes)), 0, dataBytes, at);
    at += dataBytes;
  }
  ftruncateSync(fd, at + tailGapBytes);
  closeSync(fd);
}

export function writeRandom(path: string | Buffer, sizeBytes: number): void {
  writeLayout(path, [{ gapBytes: 0, dataBytes: sizeBytes }]);
}

/** Compares two files. A failure does not print megabytes. */
export function expectEqualFiles(a: string | Buffer, b: string | Buffer): void {
  expect(readFileSync(a).equals(readFileSync(b)), `${a.toString()} and ${b.toString()} differ`).toBe(true);
}

/** The hidden files of copies in a directory. */
export function hiddenFilesIn(directory: string): string[] {
  return readdirSync(directory).filter((name) => name.startsWith('.wcc-'));
}

/** The error that a job rejects with. Throws if the job succeeds. */
export async function failureOf(job: CopyJob): Promise<CopyError> {
  try {
    await job.done;
  } catch (error) {
    if (error instanceof CopyError) return error;
    throw error;
  }
  throw new Error('the copy succeeded');
}

export async function expectFailure(job: CopyJob, code: CopyErrorCode): Promise<CopyError> {
  const error = await failureOf(job);
  expect(error.code, error.message).toBe(code);
  return error;
}

/** Checks a condition every 2 ms until it is true. */
export async function waitFor(what: string, holds: () => boolean, timeoutMs = 10_000): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  while (!holds()) {
    if (performance.now() > endMs) throw new Error(`timed out waiting until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Waits until a copy has written some bytes of its transfer. */
export async function waitUntilTransferring(job: CopyJob): Promise<void> {
  await waitFor(
    'bytes are written',
    () => job.progress().phase === 'transfer' && job.progress().writtenBytes > 0,
  );
}
