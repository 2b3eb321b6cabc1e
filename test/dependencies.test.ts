import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { builtinModules } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');
const packages = readdirSync(join(root, 'packages'));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

type Manifest = Partial<Record<string, Record<string, string>>>;
const manifestOf = (name: string): Manifest => JSON.parse(read(`packages/${name}/package.json`)) as Manifest;

function filesBelow(folder: string, end: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith(end))
    .map((path) => `${folder}/${path}`);
}

/** The packages that the code of a text loads, by their names. */
function loadedBy(text: string): string[] {
  const code = text.replaceAll(/^\s*(\/\*\*|\*|\/\/).*$/gm, '');
  const pattern =
    /(?:\bfrom|\bimport|\brequire)\s*\(?\s*(['"])((?:@[a-z\d-]+\/)?[a-z][a-z\d.-]*)(?:\/[^'"\n]*)?\1/g;
  const names = [...code.matchAll(pattern)].map(([, , name = '']) => name);
  return [...new Set(names)].filter((name) => !builtinModules.includes(name));
}

/** Types of frameworks, for programs that have them. */
const ofPrograms: ReadonlySet<string> = new Set(['react', 'vue', 'svelte']);
/** These publish bundles, which contain what the sources import. */
const bundled: ReadonlySet<string> = new Set(['server', 'cli', 'console']);
/** A bundle loads these by name: native code, and the parts of wcc that are packages of their own. */
const outside = ['koffi', 'libsql', '@node-rs/argon2', '@wcc/server', '@wcc/console'];

describe.each(packages)('the dependencies of @wcc/%s', (name) => {
  const manifest = manifestOf(name);
  const namesOf = (...kinds: string[]): string[] =>
    kinds.flatMap((kind) => Object.keys(manifest[kind] ?? {}));
  const installed = namesOf('dependencies', 'optionalDependencies', 'peerDependencies');
  const sources = filesBelow(`packages/${name}/src`, '.ts').filter(
    (path) => !/\.(test|testkit)\.ts$/.test(path),
  );
  const imported = new Set(sources.flatMap((path) => loadedBy(read(path))));
  const bundles = ['server', 'cli'].includes(name) ? filesBelow(`packages/${name}/bundle`, '.js') : [];
  const published = bundles.map(read).join('\n');
  const left = outside.filter((other) => new RegExp(`['"\`]${other}['"\`/]`).test(published));

  it('name each package that its sources import', () => {
    const declared = bundled.has(name) ? [...installed, ...namesOf('devDependencies')] : installed;
    const needed = [...imported].filter((other) => other !== `@wcc/${name}` && !ofPrograms.has(other));
    expect(needed.filter((other) => !declared.includes(other))).toEqual([]);
  });

  it('install what the published code loads, and nothing that a bundle contains', () => {
    const text = sources.map(read).join('\n');
    const isNamed = (other: string): boolean => new RegExp(`['\`]${other}['\`/]`).test(text);
    const loaded = bundled.has(name)
      ? left
      : installed.filter((other) => imported.has(other) || isNamed(other));
    expect(installed.toSorted()).toEqual(loaded.filter((other) => other !== `@wcc/${name}`).toSorted());
  });
});

describe('a bundle is stale', () => {
  it.each<[string, (src: string) => void, boolean]>([
    ['never while its inputs are older', () => {}, false],
    ['after a change of an input', (src) => writeFileSync(join(src, 'b.ts'), 'changed'), true],
    ['after an input was deleted', (src) => rmSync(join(src, 'b.ts')), true],
  ])('%s', async (_, change, expected) => {
    const { isStale } = (await import(join(root, 'scripts/setup.mjs'))) as {
      isStale: (bundle: string, inputs: readonly string[], base: string) => boolean;
    };
    const base = mkdtempSync(join(tmpdir(), 'wcc-stale-'));
    const src = join(base, 'src/deep');
    mkdirSync(src, { recursive: true });
    for (const path of ['src/a.ts', 'src/deep/b.ts', 'bundle.js']) writeFileSync(join(base, path), '');
    const [before, built] = [new Date('2026-01-01'), new Date('2026-01-02')];
    for (const path of ['src/a.ts', 'src/deep/b.ts', 'src/deep', 'src'])
      utimesSync(join(base, path), before, before);
    utimesSync(join(base, 'bundle.js'), built, built);
    change(src);
    expect(isStale('bundle.js', ['src'], base)).toBe(expected);
    rmSync(base, { recursive: true });
  });
});
