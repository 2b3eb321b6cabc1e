import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type * as Files from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { serialLimitBytes } from '../hypervisor.ts';
import { followSerialLog, restartNotice, trimSerialLog } from './serial-log.ts';

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

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'wcc-serial-'))));
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

it.each([
  ['shorter', 'new'],
  ['as long', 'a new log now.'],
  ['longer', 'a new log, which grew fast'],
])(
  'V6: a follower of a log that is cut, and is %s at the next look, continues from its beginning',
  async (_, next) => {
    const path = join(folder, 'serial.log');
    writeFileSync(path, 'the first log.');
    const ending = new AbortController();
    let text = '';
    for await (const part of followSerialLog(path, { signal: ending.signal })) {
      text += part.toString();
      if (text === 'the first log.') writeFileSync(path, next);
      if (text.endsWith(next)) appendFileSync(path, ' And more.');
      if (text.endsWith('more.')) ending.abort();
    }
    expect(text).toBe(`the first log.${restartNotice.toString()}${next} And more.`);
  },
);

it('V6: a follower shows no notice of a cut before it began', async () => {
  const path = join(folder, 'serial.log');
  writeFileSync(path, 'x'.repeat(serialLimitBytes + 5));
  await trimSerialLog(path);
  appendFileSync(path, 'next ');
  const ending = new AbortController();
  let text = '';
  for await (const part of followSerialLog(path, { signal: ending.signal, tailBytes: 10 })) {
    text += part.toString();
    if (text.endsWith('end')) ending.abort();
    else appendFileSync(path, 'end');
  }
  expect(text).toBe('xxxxxnext end');
});
