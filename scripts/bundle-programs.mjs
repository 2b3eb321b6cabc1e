// Bundles the server and the command line into `packages/{server,cli}/bundle`: few files start faster than a thousand.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * A bundle stands beside `dist` and has the same inner paths. Entries are all modules that something opens by name:
 * bins, package exports, threads and child processes.
 */
const programs = [
  {
    name: 'server',
    entries: [
      'main',
      'audit',
      'config-command',
      'guests',
      'doctor',
      'doctor/process',
      'storage/worker',
      'storage/check-process',
    ],
  },
  { name: 'cli', entries: ['main'] },
];

/** Packages with native code, and the server that a host with only the command line does not have. */
const outside = [/^(libsql|koffi|@node-rs\/argon2)$/, /^@wcc\/server(\/|$)/];

for (const program of programs) await bundle(program);

async function bundle({ name, entries }) {
  const home = join(root, 'packages', name);
  const dist = join(home, 'dist');
  const build = await rolldown({
    input: Object.fromEntries(entries.map((entry) => [entry, join(dist, `${entry}.js`)])),
    platform: 'node',
    external: outside,
    // `module`: @wcc/copy contains its worker as text. rolldown adds `import` or `require` by the kind of statement.
    resolve: { conditionNames: ['module', 'node', 'default'] },
    plugins: [keepAddresses(dist)],
    onLog(level, log, report) {
      if (level === 'warn') throw new Error(`${name}: ${log.message}`);
      report(level, log);
    },
  });
  const fresh = join(home, `bundle.${process.pid}`);
  const { output } = await build.write({
    dir: fresh,
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: '[name].js',
    // The licences stand in a file of their own.
    comments: false,
    sourcemap: true,
    sourcemapExcludeSources: true,
  });
  const chunks = output.filter((file) => file.type === 'chunk');
  assertAddresses(chunks);
  writeFileSync(join(fresh, 'THIRD-PARTY-NOTICES.txt'), notices(chunks));
  replace(fresh, join(home, 'bundle'));
}

/**
 * Modules find files by their own address: `new URL('./worker.js', import.meta.url)`. In the bundle, this is the
 * address that the module would have if `bundle` were `dist`.
 */
function keepAddresses(dist) {
  return {
    name: 'keep-addresses',
    transform(code, id) {
      if (!id.startsWith(`${dist}${sep}`) || !code.includes('import.meta.url')) return null;
      const path = relative(dist, id).split(sep).join('/');
      const address = `new URL(${JSON.stringify(`./${path}`)}, import.meta.url).href`;
      return { code: code.replaceAll('import.meta.url', address), map: null };
    },
  };
}

/** Addresses are relative to the folder `bundle`, so a chunk in a subfolder must not contain one. */
function assertAddresses(chunks) {
  for (const { fileName, code } of chunks)
    if (fileName.includes('/') && code.includes('import.meta.url'))
      throw new Error(`${fileName} contains an address and is not in the top folder of its bundle.`);
}

/** The licences of all packages in the chunks except ours. */
function notices(chunks) {
  const files = chunks.flatMap(({ modules }) => Object.keys(modules)).filter((id) => existsSync(id));
  const folders = new Set(files.filter((id) => id.includes(`${sep}node_modules${sep}`)).map(packageFolder));
  const parts = [...folders].map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const texts = readdirSync(folder)
      .filter((file) => /^(licen[cs]e|copying|notice)/i.test(file))
      .toSorted()
      .map((file) => readFileSync(join(folder, file), 'utf8').trim());
    return `${name} ${version} (${license})\n\n${texts.join('\n\n')}`;
  });
  const heading = 'The programs in this folder contain these packages.';
  return `${[heading, ...parts.toSorted()].join(`\n\n${'-'.repeat(72)}\n\n`)}\n`;
}

/** The folder of the package that a module belongs to. Folders inside a package may have a nameless package.json. */
function packageFolder(path) {
  const folder = dirname(path);
  const file = join(folder, 'package.json');
  const isPackage = existsSync(file) && JSON.parse(readFileSync(file, 'utf8')).version !== undefined;
  return isPackage ? folder : packageFolder(folder);
}

/** A program that starts during the replacement finds one whole bundle, except for the moment between two renames. */
function replace(fresh, target) {
  const old = `${fresh}.old`;
  mkdirSync(target, { recursive: true });
  renameSync(target, old);
  renameSync(fresh, target);
  rmSync(old, { recursive: true });
}
