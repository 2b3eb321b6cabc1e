import { chmod, mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { prepareDataDir } from './data-dir.ts';

let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'wcc-data-dir-'));
});
afterAll(() => rm(home, { recursive: true }));

const modeOf = async (path: string): Promise<string> => ((await stat(path)).mode & 0o7777).toString(8);

describe('SL11: the mode of the data directory', () => {
  it.each([
    ['755', '711'],
    ['777', '711'],
    ['750', '710'],
    ['710', '710'],
    ['2770', '2710'],
    ['700', '700'],
    // Shared on purpose, like /tmp.
    ['1777', '1777'],
  ])('SL11: an existing directory of mode %s becomes %s', async (before, after) => {
    const path = join(home, before);
    await mkdir(path);
    await chmod(path, Number.parseInt(before, 8));
    await prepareDataDir(path);
    expect(await modeOf(path)).toBe(after);
  });

  it('SL11: a new directory is for the user of wcc only', async () => {
    await prepareDataDir(join(home, 'new'));
    expect(await modeOf(join(home, 'new'))).toBe('700');
  });
});
