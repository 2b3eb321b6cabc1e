import {
  chmodSync,
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readFileSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { expectEqualFiles, mib, useDirectory, writeRandom } from '../testkit/files.testkit.ts';
import type { TreeContext } from './context.ts';
import type { DirectoryChain } from './directory-chain.ts';
import { createSmallCopy } from './small-file.ts';

const dir = useDirectory();
const at = (name: string): string => join(dir(), name);
const chain = {
  run: <T>(_name: unknown, step: () => T): T => step(),
  at: (name: Buffer) => Buffer.from(at(name.toString())),
  show: (name: Buffer) => at(name.toString()),
} as unknown as DirectoryChain;

/** Copies a file of 8 MiB as a tree does, and changes it after the first MiB. */
function copyAndChange(name: string, change: (path: string) => void): void {
  writeRandom(at(name), 8 * mib);
  utimesSync(at(name), 1_700_000_000, 1_700_000_000);
  let calls = 0;
  const context = {
    request: { method: 'copy', durable: false, roots: {} },
    kernel: null,
    slot: {
      isStopped: () => false,
      addBytes: () => {
        calls += 1;
        if (calls === 1) change(at(name));
      },
    },
  } as unknown as TreeContext;
  const fd = openSync(at(name), 'r');
  try {
    const file = { name: Buffer.from(name), source: chain, fd, stat: fstatSync(fd, { bigint: true }) };
    createSmallCopy(context)(file, { chain, name: Buffer.from(`${name}-copy`) });
  } finally {
    closeSync(fd);
  }
}

it('D13: a small file of a tree that is rewritten with its modification time put back is not copied as a mixture', () => {
  const rewrite = (path: string): void => {
    const fd = openSync(path, 'r+');
    writeSync(fd, Buffer.alloc(8 * mib, 9), 0, 8 * mib, 0);
    closeSync(fd);
    utimesSync(path, 1_700_000_000, 1_700_000_000);
  };
  expect(() => copyAndChange('rewritten', rewrite)).toThrow(
    expect.objectContaining({ code: 'source_changed' }),
  );
  expect(existsSync(at('rewritten-copy'))).toBe(false);
});

it('D13: a small file of a tree is copied when only its mode changes at the same time', () => {
  copyAndChange('touched', (path) => chmodSync(path, 0o640));
  expectEqualFiles(at('touched'), at('touched-copy'));
  expect(readFileSync(at('touched-copy')).length).toBe(8 * mib);
});
