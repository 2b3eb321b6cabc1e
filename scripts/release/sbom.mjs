// What the packages contain, in CycloneDX: the bundled packages, those with native code, and Node.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { architectures, commitHash } from './facts.mjs';

/** Files that list what a bundle contains, and how a line names a package. */
const notices = [
  ['packages/server/bundle/THIRD-PARTY-NOTICES.txt', /^(\S+) (\d+\.\d+\.\d+\S*) \(/gm],
  ['packages/cli/bundle/THIRD-PARTY-NOTICES.txt', /^(\S+) (\d+\.\d+\.\d+\S*) \(/gm],
  ['packages/console/dist/THIRD-PARTY-NOTICES.md', /^## (\S+) - (\d+\.\d+\.\d+\S*)/gm],
];

/** Writes `wcc_<version>.cdx.json`: the same bytes for the same commit. */
export function writeSbom({ source, out, version, epoch }) {
  // Only of these: development tools of others need a TypeScript that is not there, and npm refuses them.
  const all = npmSbom(
    source,
    ['server', 'cli', 'console', 'api'].map((name) => `--workspace=@wcc/${name}`),
  );
  const natives = npmSbom(join(source, 'packaging'));
  const bundled = new Set(notices.flatMap((notice) => packagesIn(source, notice)));
  const own = all.components.filter(({ purl }) => bundled.has(purl));
  const missing = [...bundled].filter((purl) => own.every((component) => component.purl !== purl));
  if (missing.length > 0) throw new Error(`npm sbom does not know ${missing.join(', ')}`);
  const components = [...own, ...natives.components.filter(isShipped)].map(withoutPaths);
  const byPurl = new Map(components.map((component) => [component.purl, component]));
  const content = {
    $schema: all.$schema,
    bomFormat: all.bomFormat,
    specVersion: all.specVersion,
    serialNumber: `urn:uuid:${uuidOf(`${commitHash()} ${version}`)}`,
    version: 1,
    metadata: {
      timestamp: new Date(epoch * 1000).toISOString(),
      component: { type: 'application', name: 'wcc', version, 'bom-ref': `wcc@${version}` },
    },
    components: [...byPurl.values()].toSorted((a, b) => (a.purl < b.purl ? -1 : 1)),
  };
  writeFileSync(join(out, `wcc_${version}.cdx.json`), `${JSON.stringify(content, null, 2)}\n`);
}

function npmSbom(cwd, options = []) {
  const args = ['sbom', '--sbom-format=cyclonedx', '--package-lock-only', '--loglevel=error', ...options];
  return JSON.parse(execFileSync('npm', args, { cwd, encoding: 'utf8', maxBuffer: 1 << 28 }));
}

/** The purl of each package that a notice names. */
function packagesIn(source, [path, pattern]) {
  const found = [...readFileSync(join(source, path), 'utf8').matchAll(pattern)]
    .filter(([, name]) => !name.startsWith('@wcc/'))
    .map(([, name, version]) => `pkg:npm/${name.replace('@', '%40')}@${version}`);
  if (found.length === 0) throw new Error(`${path} names no package.`);
  return found;
}

/** The lock file has native packages for all systems; ours are for two architectures with glibc. */
function isShipped({ name }) {
  const system = /(android|darwin|freebsd|openbsd|win32|linux)/.exec(name);
  if (system === null) return true;
  const cpus = Object.values(architectures).map(({ cpu }) => cpu);
  return new RegExp(`linux-(${cpus.join('|')})(-gnu)?$`).test(name);
}

/** Places in the tree of this host, and marks of development, say nothing about the package. */
function withoutPaths({ properties: _properties, scope: _scope, ...component }) {
  const isNode = component.name.startsWith('node-linux-');
  return isNode ? { ...component, description: 'Node, from nodejs.org, packed by a third party' } : component;
}

/** A UUID (version 8: own scheme) of a text. */
function uuidOf(text) {
  const hex = createHash('sha256').update(text).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
