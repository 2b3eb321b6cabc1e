// The tree of a Debian package, before dpkg-deb packs it.
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { architectures, readJson } from './facts.mjs';
import { prune } from './natives.mjs';

/** What each of our packages is made of. Types and unbundled modules have no use in a product. */
const contents = { cli: ['bin', 'bundle'], server: ['bundle'], console: ['dist'] };

/**
 * @param tree an empty folder
 * @param natives the folder of `installNatives`
 */
export function stage(tree, { source, natives, architecture, version, epoch, documents }) {
  const home = join(tree, 'usr/lib/wcc');
  const modules = join(home, 'node_modules');
  const { cpu } = architectures[architecture];
  const nodeName = `node-linux-${cpu}`;
  cpSync(join(natives, 'node_modules'), modules, { recursive: true });
  mkdirSync(join(home, 'bin'));
  cpSync(join(modules, nodeName, 'bin/node'), join(home, 'bin/node'));
  const licence = readFileSync(join(modules, nodeName, 'LICENSE'), 'utf8');
  for (const path of [nodeName, '.package-lock.json', '.bin'])
    rmSync(join(modules, path), { recursive: true, force: true });
  prune(modules);
  for (const [name, folders] of Object.entries(contents))
    copyOurs(name, { source, modules, folders, version });
  const put = (path, content, mode = 0o644) => {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    writeFileSync(join(tree, path), content, { mode });
  };
  put('usr/bin/wcc', readFileSync(join(source, 'packaging/bin/wcc')), 0o755);
  for (const [path, content] of documents) put(path, content);
  put('usr/share/doc/wcc/copyright', copyrightOf(source));
  put('usr/share/doc/wcc/node-notices.gz', zip(licence));
  for (const name of ['README.md', 'CHANGELOG.md'])
    put(`usr/share/doc/wcc/${name}.gz`, zip(readFileSync(join(source, name))));
  put('usr/share/lintian/overrides/wcc', readFileSync(join(source, 'packaging/debian/lintian-overrides')));
  putService(source, put);
  normalise(tree, epoch);
}

/** Copies the folders of one of our packages, and a package.json with what the programs read of it. */
function copyOurs(name, { source, modules, folders, version }) {
  const from = join(source, 'packages', name);
  const to = join(modules, '@wcc', name);
  for (const folder of folders) cpSync(join(from, folder), join(to, folder), { recursive: true });
  const { exports, license } = readJson(join(from, 'package.json'));
  const doors = Object.entries(exports).filter(
    ([door, target]) => door === './package.json' || existsSync(join(to, target)),
  );
  const content = {
    name: `@wcc/${name}`,
    version,
    license,
    type: 'module',
    exports: Object.fromEntries(doors),
  };
  writeFileSync(join(to, 'package.json'), `${JSON.stringify(content, null, 2)}\n`);
}

/** Units, and the files by which systemd makes the user and the directories. */
function putService(source, put) {
  const folder = join(source, 'packaging/service');
  const paths = existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }) : [];
  for (const path of paths.toSorted()) {
    const isUnit = /^[^/]+\.(service|socket|timer|target)$/.test(path);
    const isPart = /^(sysusers|tmpfiles)\.d\/[^/]+\.conf$/.test(path);
    if (isUnit || isPart)
      put(isUnit ? `usr/lib/systemd/system/${path}` : `usr/lib/${path}`, readFileSync(join(folder, path)));
  }
}

/** The licences of wcc and of Node; those of bundled packages stand beside each bundle, others in their packages. */
function copyrightOf(source) {
  return [
    readFileSync(join(source, 'LICENSE'), 'utf8'),
    'Packages in the bundles: /usr/lib/wcc/node_modules/@wcc/*/*/THIRD-PARTY-NOTICES.txt',
    'Packages with native code: the licence files in /usr/lib/wcc/node_modules',
    '/usr/lib/wcc/bin/node and what it contains: /usr/share/doc/wcc/node-notices.gz',
  ].join(`\n\n${'-'.repeat(72)}\n\n`);
}

/** gzip without a name; zlib writes no time. */
export const zip = (content) => gzipSync(content, { level: 9 });

/** The umask and the clock of the host must not change a package. */
function normalise(tree, epoch) {
  const entries = readdirSync(tree, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isSymbolicLink()) throw new Error(`A package has no links: ${path}`);
    chmodSync(path, modeOf(path, entry));
    utimesSync(path, epoch, epoch);
  }
  chmodSync(tree, 0o755);
  utimesSync(tree, epoch, epoch);
}

/** `wcc.js` is not a program: /usr/bin/wcc names the Node that runs it. */
const modeOf = (path, entry) => (entry.isDirectory() || /\/bin\/(node|wcc)$/.test(path) ? 0o755 : 0o644);
