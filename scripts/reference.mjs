// Generates the API reference of a library from the TSDoc of its built declarations, as Markdown.
// usage: node scripts/reference.mjs PACKAGE [FOLDER]; default folder: packages/PACKAGE/docs/reference
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './setup.mjs';

const [name, folder = join(root, 'packages', name ?? '', 'docs/reference')] = process.argv.slice(2);
if (name === undefined) throw new Error('usage: node scripts/reference.mjs PACKAGE [FOLDER]');

// typedoc needs the TypeScript 5.9 that is installed beside it.
const require = createRequire(join(root, 'packages/progress/package.json'));
const { Application } = await import(pathToFileURL(require.resolve('typedoc')).href);

const home = join(root, 'packages', name);
const manifest = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'));
const doors = Object.entries(manifest.exports).filter(
  ([, target]) => typeof target === 'object' && target.types,
);
const entryPoints = doors.map(([, { types }]) => join(home, types));
const work = mkdtempSync(join(home, 'dist', 'reference-'));
try {
  await generate();
} finally {
  rmSync(work, { recursive: true, force: true });
}

async function generate() {
  const tsconfig = join(work, 'tsconfig.json');
  const compilerOptions = {
    module: 'nodenext',
    target: 'es2023',
    lib: ['es2023', 'dom', 'dom.iterable'],
    strict: true,
    skipLibCheck: true,
    noEmit: true,
    types: ['node'],
  };
  writeFileSync(tsconfig, JSON.stringify({ compilerOptions, files: entryPoints }));
  const app = await Application.bootstrapWithPlugins({
    name: manifest.name,
    tsconfig,
    entryPoints,
    plugin: [require.resolve('typedoc-plugin-markdown')],
    outputs: [{ name: 'markdown', path: resolve(folder) }],
    readme: 'none',
    outputFileStrategy: 'modules',
    hideBreadcrumbs: true,
    hidePageHeader: true,
    disableSources: true,
    excludeInternal: true,
    excludeExternals: true,
    validation: { notExported: false, invalidLink: true, notDocumented: true },
    requiredToBeDocumented: ['Function', 'Class', 'Interface', 'TypeAlias', 'Variable'],
    treatWarningsAsErrors: true,
    treatValidationWarningsAsErrors: true,
  });
  const project = await app.convert();
  if (project === undefined) throw new Error('The declarations have errors. Build first.');
  for (const reflection of project.children ?? []) reflection.name = doorOf(reflection.name);
  app.validate(project);
  await app.generateOutputs(project);
  if (app.logger.hasErrors() || app.logger.hasWarnings()) process.exitCode = 1;
}

/** `element/index` is the door `@wcc/progress/element`. */
function doorOf(module) {
  const door = doors.find(([, { types }]) => types.includes(`dist/${module}`));
  return door === undefined ? module : door[0].replace(/^\./, manifest.name);
}
