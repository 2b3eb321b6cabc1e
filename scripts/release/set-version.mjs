// Writes a version to every package.json of the workspaces, where they name each other, and to the lock file.
// usage: node scripts/release/set-version.mjs VERSION
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from '../setup.mjs';
import { readJson, workspaces } from './facts.mjs';

const [version = ''] = process.argv.slice(2);
if (!/^\d+\.\d+\.\d+(-[0-9a-z.]+)?$/.test(version)) throw new Error('usage: set-version.mjs VERSION');

for (const path of ['package.json', ...workspaces.map((name) => `packages/${name}/package.json`)]) {
  const manifest = { ...readJson(join(root, path)), version };
  for (const kind of ['dependencies', 'optionalDependencies', 'devDependencies'])
    for (const name of Object.keys(manifest[kind] ?? {}))
      if (name.startsWith('@wcc/')) manifest[kind][name] = version;
  writeFileSync(join(root, path), `${JSON.stringify(manifest, null, 2)}\n`);
}
run('npm', ['install', '--package-lock-only', '--loglevel=error']);
