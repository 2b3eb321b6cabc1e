import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

const root = join(import.meta.dirname, '..');

/**
 * Unit tests, as paths, whose files each run in a process of their own. They form the vitest project `isolated`. Files
 * that replace a module are among them, because an earlier file of the same process has loaded the real module. So is
 * the progress library, whose languages are registered once for a process.
 */
export const needsOwnProcess: readonly string[] = readdirSync(join(root, 'packages'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .flatMap(({ name }) => testFiles(join(root, 'packages', name, 'src')))
  .map((path) => relative(root, path))
  .filter(
    (path) =>
      path.startsWith(join('packages', 'progress')) ||
      /\bvi\.(?:do)?[Mm]ock\(/.test(readFileSync(join(root, path), 'utf8')),
  );

function testFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.test.ts'))
    .map((path) => join(folder, path));
}
