// Bundles the worker of @wcc/copy into one file, and into a module that contains it as text for bundlers.
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const dist = join(dirname(dirname(fileURLToPath(import.meta.url))), 'packages/copy/dist');

async function bundle(options) {
  const { outputFiles } = await build({
    entryPoints: [join(dist, 'worker/entry.js')],
    bundle: true,
    platform: 'node',
    target: 'node20.19',
    minify: true,
    write: false,
    ...options,
  });
  return outputFiles[0].text;
}

/** Replaces a file at once, because a test may be packing it. */
function replace(name, content) {
  const path = join(dist, 'standalone', name);
  writeFileSync(`${path}.${process.pid}`, content);
  renameSync(`${path}.${process.pid}`, path);
}

// A thread that starts from text runs CommonJS, which has no `import.meta`.
const text = await bundle({ format: 'cjs', define: { 'import.meta.url': 'undefined' } });
mkdirSync(join(dist, 'standalone'), { recursive: true });
replace('worker.js', await bundle({ format: 'esm' }));
replace(
  'thread.js',
  `import { createThreadFromSource } from '../job/thread-from-source.js';
const source = ${JSON.stringify(text)};
export const createThread = (options) => createThreadFromSource(source, options);
`,
);
