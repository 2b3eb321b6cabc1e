import { execFileSync } from 'node:child_process';
import { closeSync, fstatSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadKernel } from '../kernel/calls.ts';
import { mib, useDirectory, writeRandom } from '../testkit/files.testkit.ts';
import type { CopyRun } from '../run/copy-state.ts';
import { createWriteBack } from './write-back.ts';

/** The reason why the page cache cannot be read here; null if it can. */
function whyNoPageCache(): string | null {
  if (loadKernel() === null) return 'no kernel calls';
  try {
    execFileSync('fincore', ['--version'], { stdio: 'ignore' });
    return null;
  } catch {
    return 'fincore is not installed';
  }
}

const reason = whyNoPageCache();
if (reason !== null) console.warn(`page cache skipped: ${reason}`);

describe.skipIf(reason !== null)('write-back', () => {
  const dir = useDirectory();

  /** Writes two windows of 4 MiB and adds them to a write-back. A large `dataBytes` simulates a large file. */
  const writeWindows = (name: string, dataBytes: bigint): { behind: bigint; cachedBytes: number } => {
    const path = join(dir(), name);
    writeRandom(`${path}-source`, 8 * mib);
    const source = openSync(`${path}-source`, 'r');
    const fd = openSync(path, 'w+');
    const partial = { fd, inode: 0n };
    const opened = { fd: source, stat: fstatSync(source, { bigint: true }) };
    const run = { request: { durable: true }, kernel: loadKernel(), dataBytes, source: opened, partial };
    const writeBack = createWriteBack(run as CopyRun);
    const bytes = BigInt(4 * mib);
    const content = readFileSync(`${path}-source`);
    const settled = [0n, bytes].map((start) => {
      writeSync(fd, content, Number(start), 4 * mib, Number(start));
      return writeBack.add({ start, end: start + bytes, bytes });
    });
    expect(settled).toEqual([0n, bytes]);
    const behind = writeBack.drain();
    closeSync(fd);
    closeSync(source);
    const cached = execFileSync('fincore', ['--bytes', '--noheadings', '--output', 'RES', path], {
      encoding: 'utf8',
    });
    return { behind, cachedBytes: Number(cached) };
  };

  it('waits for the previous window, and leaves a small file in the page cache', () => {
    const { behind, cachedBytes } = writeWindows('small', BigInt(8 * mib));
    expect(behind).toBe(BigInt(4 * mib));
    expect(cachedBytes).toBe(8 * mib);
  });

  it('drops the pages of a large file from the page cache', () => {
    expect(writeWindows('large', 2n ** 60n).cachedBytes).toBe(0);
  });
});
