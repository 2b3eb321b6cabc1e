import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { withSpooledInput } from './spool.ts';

it.each([
  ['', '/var/tmp'],
  [tmpdir(), tmpdir()],
])('standard input is stored in TMPDIR=%s until it is used', async (chosen, parent) => {
  const stdin = Readable.from([Buffer.from('a'), Buffer.alloc(70_000), Buffer.from('b')]);
  const context = { env: { TMPDIR: chosen }, stdin, interrupt: new AbortController().signal };
  const used = await withSpooledInput(context, async (path) => {
    const bytes = await readFile(path);
    expect([bytes.length, bytes.at(0), bytes.at(-1)]).toEqual([70_002, 97, 98]);
    return path;
  });
  expect(dirname(dirname(used))).toBe(parent);
  expect(existsSync(dirname(used))).toBe(false);
});
