import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

const root = join(import.meta.dirname, '..');

/**
 * Unit tests that replace a module, as paths. Each runs in a process of its own, because other test files in the same
 * process have already loaded the real module. They form the vitest project `mocked`.
 */
export const mocksModules: readonly string[] = readdirSync(join(root, 'packages'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .flatMap(({ name }) => testFiles(join(root, 'packages', name, 'src')))
  .filter((path) => /\bvi\.(?:do)?[Mm]ock\(/.test(readFileSync(path, 'utf8')))
  .map((path) => relative(root, path));

function testFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.test.ts'))
    .map((path) => join(folder, path));
}
