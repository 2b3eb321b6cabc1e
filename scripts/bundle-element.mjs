// Bundles the client and the element of @wcc/progress into one minified file for pages without a bundler.
import { renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const dist = join(dirname(dirname(fileURLToPath(import.meta.url))), 'packages/progress/dist');
const { outputFiles } = await build({
  entryPoints: [join(dist, 'element/page.js')],
  bundle: true,
  format: 'esm',
  platform: 'browser',
  target: 'es2022',
  minify: true,
  write: false,
});
// Replaces the file at once, because a test may be packing it.
const path = join(dist, 'element.min.js');
writeFileSync(`${path}.${process.pid}`, outputFiles[0].text);
renameSync(`${path}.${process.pid}`, path);
