import { execFile, execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, open, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { runConversion } from './run.ts';

const run = promisify(execFile);
const sizeBytes = 8 * 1024 ** 2;
let home: string;
let source: FileHandle;
let target: FileHandle | null;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'wcc-direct-'));
  await writeFile(join(home, 'a.raw'), randomBytes(sizeBytes));
  source = await open(join(home, 'a.raw'), 'r');
  target = null;
});
afterEach(async () => {
  await source.close();
  await target?.close();
  await rm(home, { recursive: true });
});

/** Converts into a new file, and compares the result. */
async function convert(path: string, { onStart }: { onStart: (pid: number) => void }): Promise<void> {
  target = await open(path, 'wx+');
  const sizes = { virtualSizeBytes: sizeBytes, dataBytes: sizeBytes };
  await runConversion({
    source,
    target,
    input: { sourceFormat: 'raw', format: 'qcow2', compress: true, ...sizes },
    signal: new AbortController().signal,
    onDone: () => {},
    onStart: ({ pid }) => onStart(pid ?? 0),
  });
  await run('qemu-img', ['compare', '-f', 'raw', '-F', 'qcow2', join(home, 'a.raw'), path]);
}

/** Whether the process has the file open with `O_DIRECT` now. */
async function hasDirect(pid: number, path: string): Promise<boolean> {
  const direct = 0o40000;
  const numbers = await readdir(`/proc/${pid}/fd`).catch(() => []);
  const flags = await Promise.all(
    numbers.map(async (number) => {
      const to = await readlink(`/proc/${pid}/fd/${number}`).catch(() => '');
      const info = to === path ? await readFile(`/proc/${pid}/fdinfo/${number}`, 'utf8').catch(() => '') : '';
      return Number.parseInt(/^flags:\s*(\d+)/m.exec(info)?.[1] ?? '0', 8);
    }),
  );
  return flags.some((each) => (each & direct) !== 0);
}

it('E: qemu-img writes past the page cache', async () => {
  const path = join(home, 'b.qcow2');
  let [pid, isOver, wasDirect] = [0, false, false];
  const watching = (async () => {
    while (!isOver && !wasDirect) {
      if (pid !== 0) wasDirect = await hasDirect(pid, path);
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  await convert(path, { onStart: (started) => (pid = started) }).finally(() => (isOver = true));
  await watching;
  expect(wasDirect).toBe(true);
});

const isRoot = process.getuid?.() === 0;
if (!isRoot) console.log('Skipped, a file system without O_DIRECT: a mount needs root.');

it.skipIf(!isRoot)('E: qemu-img runs again on a file system without O_DIRECT', async () => {
  const mountPoint = join(home, 'mnt');
  await mkdir(mountPoint);
  execFileSync('mount', ['-t', 'ramfs', 'ramfs', mountPoint]);
  try {
    let runs = 0;
    await convert(join(mountPoint, 'b.qcow2'), { onStart: () => (runs += 1) });
    expect(runs).toBe(2);
  } finally {
    await target?.close();
    target = null;
    execFileSync('umount', [mountPoint]);
  }
});

// On tmpfs, QEMU takes a page for the block of a new file, as on other file systems with large blocks.
const memory = '/dev/shm';
it.skipIf(!existsSync(memory))('a raw image has the size of its source, not whole blocks', async () => {
  const bytes = randomBytes(1024 ** 2 + 512);
  const directory = await mkdtemp(join(memory, 'wcc-direct-'));
  await writeFile(join(directory, 'odd.raw'), bytes);
  const odd = await open(join(directory, 'odd.raw'), 'r');
  try {
    target = await open(join(directory, 'b.raw'), 'wx+');
    const sizes = { virtualSizeBytes: bytes.length, dataBytes: bytes.length };
    await runConversion({
      source: odd,
      target,
      input: { sourceFormat: 'raw', format: 'raw', compress: false, ...sizes },
      signal: new AbortController().signal,
      onDone: () => {},
      onStart: () => {},
    });
    expect((await readFile(join(directory, 'b.raw'))).equals(bytes)).toBe(true);
  } finally {
    await odd.close();
    await rm(directory, { recursive: true });
  }
});
