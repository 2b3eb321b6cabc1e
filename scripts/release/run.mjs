// `npm run release`: packages of this commit in `release`, the same bytes each time. See docs/release.md.
// usage: node scripts/release/run.mjs [--out DIR] [--only deb|npm] [--arch amd64,arm64]
//   for tests: [--from-tree] (this tree as it is built), [--zstd], [--version VERSION]
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from '../setup.mjs';
import { packDeb } from './deb.mjs';
import { makeDocuments } from './documents.mjs';
import { architectures, assertClean, commitTime, versionOf } from './facts.mjs';
import { assertNatives, runNatives } from './natives.mjs';
import { packNpm } from './npm-packages.mjs';
import { writeSbom } from './sbom.mjs';
import { installNatives, makeSource } from './source.mjs';
import { stage } from './stage.mjs';
import { writeSums } from './sums.mjs';

const { values } = parseArgs({
  options: {
    out: { type: 'string', default: join(root, 'release') },
    only: { type: 'string' },
    arch: { type: 'string', default: Object.keys(architectures).join() },
    'from-tree': { type: 'boolean', default: false },
    zstd: { type: 'boolean', default: false },
    version: { type: 'string' },
  },
});

// npm and tar give new files the mode that the umask leaves, and npm packs that mode.
process.umask(0o022);
const work = mkdtempSync(join(tmpdir(), 'wcc-release-'));
try {
  await release(work);
} finally {
  rmSync(work, { recursive: true, force: true });
}

async function release(work) {
  if (!values['from-tree']) assertClean();
  const out = resolve(values.out);
  mkdirSync(out, { recursive: true });
  for (const name of readdirSync(out))
    if (/^wcc[-_].*\.(deb|tgz|cdx\.json)$/.test(name)) rmSync(join(out, name));
  const source = values['from-tree'] ? root : makeSource(work);
  const release = { source, work, out, version: values.version ?? versionOf(source), epoch: commitTime() };
  if (values.only !== 'npm') await makeDebs(release);
  if (values.only !== 'deb') packNpm(release);
  if (values.only !== undefined) return;
  writeSbom(release);
  cpSync(join(source, 'CHANGELOG.md'), join(out, 'CHANGELOG.md'));
  writeSums(out);
}

async function makeDebs(release) {
  const documents = await makeDocuments(release.source, release);
  for (const architecture of values.arch.split(',')) {
    // Tests build often, and the key of the folder is the lock file.
    const cache = values['from-tree'] ? join(root, 'node_modules/.cache/wcc-release') : release.work;
    const natives = installNatives(release.source, { architecture, work: cache });
    const tree = join(release.work, `tree-${architecture}`);
    const options = { ...release, natives, architecture, documents };
    stage(tree, options);
    const home = join(tree, 'usr/lib/wcc');
    assertNatives(home, architecture);
    const notRun = runNatives(home, options);
    if (notRun !== null) console.log(`${architecture}: the binaries were not run: ${notRun}.`);
    const compression = values.zstd ? 'zstd' : 'xz';
    console.log(packDeb(tree, { ...options, compression }));
  }
}
