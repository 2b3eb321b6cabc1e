import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

/** What the libraries export: few names, each documented. */
const root = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);

type Exports = Record<string, { values: string[]; types: string[] }>;

async function exportsOf(library: string): Promise<Exports> {
  const { stdout } = await run(process.execPath, [join(root, 'scripts/list-exports.mjs'), library]);
  return JSON.parse(stdout) as Exports;
}

it('the five main doors of both libraries export at most 60 values and 45 types', async () => {
  const [copy, progress] = await Promise.all([exportsOf('copy'), exportsOf('progress')]);
  const found = [copy['.']!, ...['.', './server', './client', './element'].map((door) => progress[door]!)];
  const values = found.flatMap((door) => door.values);
  const types = found.flatMap((door) => door.types);
  expect(values.length, values.join(' ')).toBeLessThanOrEqual(60);
  expect(types.length, types.join(' ')).toBeLessThanOrEqual(45);
  // The program has found the exports at all.
  expect(values).toEqual(expect.arrayContaining(['copyFile', 'createHub', 'connect', 'WccProgressElement']));
  expect(types).toEqual(expect.arrayContaining(['Snapshot', 'CopyResult']));
});

it.each(['copy', 'progress'])('every export of @wcc/%s is documented', async (library) => {
  const folder = mkdtempSync(join(tmpdir(), 'wcc-reference-'));
  try {
    const script = join(root, 'scripts/reference.mjs');
    // The script fails for an export, a method or a property without a comment, and for a broken link.
    const complaint = await run(process.execPath, [script, library, folder]).then(
      () => '',
      (error: Error & { stderr?: string }) => error.stderr ?? error.message,
    );
    expect(complaint).toBe('');
    expect(readFileSync(join(folder, 'README.md'), 'utf8')).toContain(`@wcc/${library}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
