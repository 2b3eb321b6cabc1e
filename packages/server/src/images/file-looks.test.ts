import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { inspectFile } from '@wcc/copy';
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { createFileLooks } from './file-looks.ts';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'wcc-file-looks-'));
});
afterEach(() => rm(home, { recursive: true }));

it('D11: the forecast of a clone keeps an answer, and no failure', async () => {
  const path = join(home, 'a.raw');
  await writeFile(path, 'content');
  const source = { path, facts: await inspectFile(path) };
  const directory = join(home, 'pool');
  const looks = createFileLooks();
  const post = vi.spyOn(Worker.prototype, 'postMessage');
  onTestFinished(() => post.mockRestore());
  const tries = (): number =>
    post.mock.calls.filter(([message]) => (message as { kind?: string }).kind === 'canClone').length;
  expect(await looks.forecastClone(source, directory)).toBe(false);
  expect(tries()).toBe(1);
  await mkdir(directory);
  await looks.forecastClone(source, directory);
  expect(tries()).toBe(2);
  await looks.forecastClone(source, directory);
  expect(tries()).toBe(2);
});
