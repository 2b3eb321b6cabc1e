import { closeSync, mkdirSync, openSync } from 'node:fs';
import type * as Fs from 'node:fs';
import { expect, it, vi } from 'vitest';
import { useDirectory } from '../testkit/files.testkit.ts';
import { DirectoryChain } from './directory-chain.ts';
import { readNames } from './walk.ts';

vi.mock('node:fs', async (load) => {
  const actual = await load<typeof Fs>();
  // Other runtimes ignore the encoding of names.
  const opendirSync = (path: Buffer): Fs.Dir => actual.opendirSync(path);
  return { ...actual, opendirSync };
});

const dir = useDirectory();

it('a runtime that lists names as text is refused with the reason', () => {
  mkdirSync(`${dir()}/entry`);
  const fd = openSync(dir(), 'r');
  const chain = new DirectoryChain({ fd, path: Buffer.from(dir()) }, 'source_changed');
  expect(() => readNames(chain, () => {})).toThrow(
    expect.objectContaining({ code: 'unsupported', message: expect.stringContaining('needs Node.js') }),
  );
  closeSync(fd);
});
