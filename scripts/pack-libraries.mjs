// Packs both libraries with their API reference, as they are published.
// usage: node scripts/pack-libraries.mjs [FOLDER]; default folder: the current one
import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build, ensureDependencies, root, run } from './setup.mjs';

const libraries = ['copy', 'progress'];
const folder = resolve(process.argv[2] ?? '.');
ensureDependencies();
// Files of sources that were renamed or removed stay in `dist` otherwise.
for (const library of libraries)
  rmSync(join(root, 'packages', library, 'dist'), { recursive: true, force: true });
build();
for (const library of libraries) {
  rmSync(join(root, 'packages', library, 'docs/reference'), { recursive: true, force: true });
  run(process.execPath, [join(root, 'scripts/reference.mjs'), library]);
  run('npm', ['pack', '--pack-destination', folder, '--workspace', `@wcc/${library}`]);
}
