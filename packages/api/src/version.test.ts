import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { version } from './version.ts';

const packages = new URL('../../', import.meta.url);

interface Manifest {
  name: string;
  version: string;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
}

it('all packages of wcc have the same version and depend on that version of each other', () => {
  const names = readdirSync(packages);
  expect(names.length).toBeGreaterThanOrEqual(6);
  for (const name of names) {
    const text = readFileSync(new URL(`${name}/package.json`, packages), 'utf8');
    const manifest = JSON.parse(text) as Manifest;
    expect([name, manifest.version]).toEqual([name, version]);
    const own = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies }).filter(
      ([dependency]) => dependency.startsWith('@wcc/') && dependency !== '@wcc/console',
    );
    for (const [dependency, wanted] of own)
      expect([name, dependency, wanted]).toEqual([name, dependency, version]);
  }
});
