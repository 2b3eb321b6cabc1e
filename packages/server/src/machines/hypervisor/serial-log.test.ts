import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type * as Files from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { followSerialLog } from './serial-log.ts';

/** What the guest writes right after the size of the log was read. */
let late = '';

vi.mock('node:fs/promises', async (load) => {
  const actual = await load<typeof Files>();
  const stat = async (path: string): Promise<unknown> => {
    const found = await actual.stat(path);
    appendFileSync(path, late);
    late = '';
    return found;
  };
  return { ...actual, stat };
});

const folder = mkdtempSync(join(tmpdir(), 'wcc-serial-'));
afterEach(() => rmSync(folder, { recursive: true }));

it('a log that grows while it is opened is followed without doubled output', async () => {
  const path = join(folder, 'serial.log');
  writeFileSync(path, 'one ');
  const ending = new AbortController();
  late = 'two ';
  let text = '';
  for await (const part of followSerialLog(path, { signal: ending.signal })) {
    text += part.toString();
    if (text.includes('three')) ending.abort();
    else appendFileSync(path, 'three ');
  }
  expect(text).toBe('one two three ');
});
