import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { needsHost } from './needs-host.ts';

/** Invariants of the tree that no compiler checks. Each failure names the file and the rule. */

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const tracked = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((path) => path !== '');
const sources = tracked.filter((path) => /^packages\/[^/]+\/src\/.*\.ts$/.test(path));
const isTest = (path: string): boolean => /\.(test|testkit)\.ts$/.test(path);
const production = sources.filter((path) => !isTest(path));

/** A file without its comments. */
const codeOf = (path: string): string => read(path).replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');

/** Import specifiers of a file, `import type` included. */
function importsOf(path: string): string[] {
  const text = codeOf(path);
  const pattern = /(?:\bfrom|\bimport)\s*\(?\s*['"]([^'"]+)['"]/g;
  return [...text.matchAll(pattern)].map((match) => match[1] ?? '');
}

/** `packages/server/src/http/x.ts` importing `../images/y.ts` → `packages/server/src/images/y.ts`. */
function target(path: string, specifier: string): string {
  return specifier.startsWith('.') ? relative(root, resolve(root, dirname(path), specifier)) : specifier;
}

/** The first folder below `src` in a path; `top` for a file directly in `src`. */
function folderOf(path: string): string {
  const parts = path.split('/').slice(3);
  return parts.length > 1 ? (parts[0] ?? '') : 'top';
}

/** Counts the lines with code, without blank lines and comments. */
function codeLines(path: string): number {
  const text = read(path).replaceAll(/^\s*\/\*[\s\S]*?\*\/\s*$/gm, '');
  return text.split('\n').filter((line) => line.trim() !== '' && !line.trim().startsWith('//')).length;
}

/** Groups of files that reach each other by relative imports (Tarjan's strongly connected components). */
function circlesOf(paths: readonly string[]): string[] {
  const importsByPath = new Map(
    paths.map((path) => [path, importsOf(path).filter((specifier) => specifier.startsWith('.'))]),
  );
  const order = new Map<string, { index: number; low: number }>();
  const stack: string[] = [];
  const circles: string[] = [];
  const visit = (path: string): { index: number; low: number } => {
    const mark = { index: order.size, low: order.size };
    order.set(path, mark);
    stack.push(path);
    for (const specifier of importsByPath.get(path) ?? []) {
      const other = target(path, specifier);
      if (other === path) circles.push(`${path} imports itself`);
      if (!importsByPath.has(other)) continue;
      const seen = order.get(other);
      if (seen === undefined) mark.low = Math.min(mark.low, visit(other).low);
      else if (stack.includes(other)) mark.low = Math.min(mark.low, seen.index);
    }
    if (mark.low !== mark.index) return mark;
    const circle = stack.splice(stack.indexOf(path));
    if (circle.length > 1) circles.push(circle.toSorted().join(' ↔ '));
    return mark;
  };
  for (const path of paths) if (!order.has(path)) visit(path);
  return circles;
}

const ours: Record<string, readonly string[]> = {
  copy: [],
  // its own doors, by the package's name
  progress: ['@wcc/progress', '@wcc/progress/protocol'],
  api: ['@wcc/progress', '@wcc/progress/text', '@wcc/progress/protocol'],
  server: [
    '@wcc/api',
    '@wcc/api/content',
    '@wcc/api/names',
    '@wcc/api/openapi',
    '@wcc/progress',
    '@wcc/progress/protocol',
    '@wcc/progress/server',
    '@wcc/copy',
    '@wcc/copy/datagram',
    '@wcc/copy/receive',
    '@wcc/copy/recovery',
  ],
  console: [
    '@wcc/api',
    '@wcc/api/content',
    '@wcc/api/client',
    '@wcc/progress',
    '@wcc/progress/protocol',
    '@wcc/progress/client',
    '@wcc/progress/element',
    '@wcc/progress/element/define',
    '@wcc/progress/element/locales/ja',
    '@wcc/progress/text',
    '@wcc/api/text',
  ],
  cli: [
    '@wcc/api',
    '@wcc/api/content',
    '@wcc/api/client',
    '@wcc/api/pins',
    '@wcc/progress',
    '@wcc/progress/protocol',
    '@wcc/progress/client',
    '@wcc/progress/text',
    '@wcc/progress/terminal',
    '@wcc/api/text',
  ],
};

/**
 * For each folder of a package, the folders that it may import. Files at the top of `src` may import all folders; no
 * folder imports them.
 */
const importableFolders: Record<string, Record<string, readonly string[]>> = {
  copy: {
    worker: [
      'contract',
      'kernel',
      'run',
      'inspect',
      'digest',
      'reserve',
      'clone',
      'transfer',
      'flush',
      'verify',
      'resume',
      'publish',
      'tree',
    ],
    recovery: ['contract', 'kernel', 'storage', 'publish', 'tree'],
    tree: ['contract', 'kernel', 'storage', 'job', 'run', 'inspect', 'reserve'],
    receive: ['contract', 'kernel', 'storage', 'job', 'recovery'],
    job: ['contract', 'kernel', 'storage'],
    publish: ['contract', 'kernel', 'storage', 'run', 'inspect', 'flush', 'resume'],
    verify: ['contract', 'storage', 'run', 'inspect'],
    transfer: ['contract', 'kernel', 'run', 'inspect', 'reserve', 'resume'],
    clone: ['contract', 'kernel', 'storage', 'run', 'reserve'],
    reserve: ['contract', 'kernel', 'storage', 'run', 'inspect', 'resume'],
    resume: ['contract', 'kernel', 'storage', 'run'],
    flush: ['run'],
    digest: ['contract', 'kernel', 'storage', 'run', 'inspect'],
    inspect: ['contract', 'kernel', 'storage', 'run'],
    run: ['contract', 'kernel', 'storage'],
    storage: ['contract', 'kernel'],
    kernel: ['contract'],
    contract: [],
  },
  progress: {
    core: [],
    protocol: ['core'],
    server: ['core', 'protocol'],
    client: ['core'],
    element: ['core', 'client'],
    terminal: ['core', 'element'],
    testing: ['core', 'protocol'],
  },
  server: {
    http: [
      'access',
      'config',
      'doctor',
      'files',
      'images',
      'machines',
      'metrics',
      'operations',
      'storage',
      'tls',
      'uploads',
    ],
    doctor: ['config', 'files', 'images', 'machines', 'storage', 'tls'],
    uploads: ['access', 'concurrency', 'files', 'images', 'operations', 'storage'],
    machines: ['access', 'concurrency', 'files', 'images', 'operations', 'storage'],
    metrics: ['storage'],
    service: ['storage'],
    images: ['access', 'concurrency', 'files', 'operations', 'storage'],
    operations: ['access', 'concurrency', 'files', 'storage'],
    access: ['config', 'files', 'storage'],
    tls: ['config', 'files'],
    config: [],
    storage: ['files'],
    files: [],
    concurrency: [],
  },
  console: {
    home: ['images', 'machines', 'operations', 'app', 'ui', 'text'],
    access: ['operations', 'app', 'ui', 'text'],
    system: ['app', 'ui', 'text'],
    machines: ['operations', 'app', 'ui', 'text'],
    images: ['operations', 'app', 'ui', 'text'],
    uploads: ['operations', 'app', 'ui', 'text'],
    operations: ['app', 'ui', 'text'],
    app: ['ui', 'text'],
    ui: ['text'],
    text: [],
  },
  cli: {
    commands: ['account', 'completion', 'download', 'follow', 'runtime', 'output', 'server', 'upload'],
    upload: ['follow', 'runtime', 'output', 'server'],
    download: ['follow', 'runtime', 'output', 'server'],
    follow: ['runtime', 'output', 'server'],
    server: ['account', 'runtime'],
    account: ['runtime'],
    output: ['runtime'],
    completion: [],
    runtime: [],
  },
};

describe('import directions', () => {
  it('packages import only lower packages', () => {
    const offences = production.flatMap((path) => {
      const allowed = ours[path.split('/')[1] ?? ''] ?? [];
      return importsOf(path)
        .filter((specifier) => specifier.startsWith('@wcc/') && !allowed.includes(specifier))
        .map((specifier) => `${path} imports ${specifier}`);
    });
    expect(offences).toEqual([]);
  });

  it('relative imports stay inside their package', () => {
    const offences = sources.flatMap((path) => {
      const home = path.split('/').slice(0, 3).join('/');
      return importsOf(path)
        .filter((specifier) => specifier.startsWith('.') && !target(path, specifier).startsWith(`${home}/`))
        .map((specifier) => `${path} imports ${specifier}`);
    });
    expect(offences).toEqual([]);
  });

  it('folders of a package import in one direction', () => {
    const offences = production.flatMap((path) => {
      const matrix = importableFolders[path.split('/')[1] ?? ''];
      const allowed = matrix?.[folderOf(path)] ?? [];
      if (!matrix || folderOf(path) === 'top') return [];
      return importsOf(path)
        .filter((specifier) => specifier.startsWith('.'))
        .map((specifier) => target(path, specifier))
        .filter((other) => folderOf(other) !== folderOf(path) && !allowed.includes(folderOf(other)))
        .map((other) => `${path} imports ${other}`);
    });
    expect(offences).toEqual([]);
  });

  it('no package has an import circle, type-only and dynamic imports and test kits included', () => {
    expect(circlesOf(sources)).toEqual([]);
  });

  it('the platform-free core of progress imports nothing but itself', () => {
    const core = production.filter((path) => path.startsWith('packages/progress/src/core/'));
    expect(core.length).toBeGreaterThan(3);
    expect(core.flatMap(importsOf).filter((specifier) => !specifier.startsWith('./'))).toEqual([]);
  });

  it('the general parts of progress contain no word of the product', () => {
    const general = production.filter((path) =>
      /^packages\/progress\/src\/(core|protocol|server)\//.test(path),
    );
    expect(general.length).toBeGreaterThan(30);
    const words = /\b(vms?|images?|clone|pools?|disks?|guests?|hypervisor|qcow2?|copy_\w+)\b/gi;
    const found = general.flatMap((path) =>
      [...read(path).matchAll(words)].map(([word]) => `${path}: ${word}`),
    );
    expect(found).toEqual([]);
  });

  it('only the composition root reads the environment and the arguments, and a terminal its environment', () => {
    const mayRead = /^packages\/((server|cli)\/src\/main|progress\/src\/terminal\/display)\.ts$/;
    const readers = production.filter((path) => /\bprocess\.(env|argv)\b/.test(codeOf(path)));
    expect(readers.filter((path) => !mayRead.test(path))).toEqual([
      // A CommonJS bundle knows its own file only as the program's.
      'packages/copy/src/kernel/module-bases.ts',
    ]);
  });
});

/** The files that a file imports by relative paths, directly or indirectly. */
function reachedFrom(path: string, found = new Set<string>()): Set<string> {
  for (const specifier of importsOf(path).filter((each) => each.startsWith('.'))) {
    const other = target(path, specifier);
    if (found.has(other) || !tracked.includes(other)) continue;
    found.add(other);
    reachedFrom(other, found);
  }
  return found;
}

describe('test projects', () => {
  it('unit tests that need loop mounts, hypervisors or a browser are in the project host', () => {
    const host = execFileSync('git', ['ls-files', '-co', ...needsHost.map((glob) => `:(glob)${glob}`)], {
      cwd: root,
      encoding: 'utf8',
    }).split('\n');
    expect(host.length).toBeGreaterThan(10);
    const unit = tracked.filter(
      (path) => /^(packages|test\/kit)\/.*\.test\.ts$/.test(path) && !host.includes(path),
    );
    const needs =
      /mounts\.testkit|kit\/(loop-mount|browser\/)|(machines|guest|session|conformance-fixture)\.testkit/;
    expect(unit.filter((path) => [...reachedFrom(path)].some((other) => needs.test(other)))).toEqual([]);
  });

  it('every file in the list of slow files exists', () => {
    const slow = Object.keys(JSON.parse(read('test/slowest-files.json')) as Record<string, number>);
    expect(slow.filter((path) => !tracked.includes(path))).toEqual([]);
  });
});

describe('size and names', () => {
  it('no source file has more than 300 lines of code, no test more than 500', () => {
    const all = [...sources, ...tracked.filter((path) => /^(test|bench|scripts)\/.*\.(ts|mjs)$/.test(path))];
    const long = all.filter((path) => codeLines(path) > (/\.test\.ts$|^test\//.test(path) ? 500 : 300));
    expect(long).toEqual([]);
  });

  it('files are short: median ≤ 100 lines, nine of ten ≤ 250', () => {
    const lengths = production.map((path) => read(path).split('\n').length).toSorted((a, b) => a - b);
    expect(lengths[Math.floor(lengths.length / 2)]).toBeLessThanOrEqual(100);
    expect(lengths[Math.floor(lengths.length * 0.9)]).toBeLessThanOrEqual(250);
  });

  it('no source file is longer than 300 lines, comments included', () => {
    expect(production.filter((path) => read(path).split('\n').length - 1 > 300)).toEqual([]);
  });

  it('no folder of code has more than 40 files', () => {
    const counts = new Map<string, number>();
    for (const path of tracked.filter((name) =>
      /^(packages|test|bench|scripts)\/.*\.(ts|mjs|js)$/.test(name),
    )) {
      counts.set(dirname(path), (counts.get(dirname(path)) ?? 0) + 1);
    }
    expect([...counts].filter(([, count]) => count > 40)).toEqual([]);
  });

  it('no file or folder has a catch-all name like utils or helpers', () => {
    const odd = tracked.filter((path) => /(^|\/)(utils?|helpers?|common|misc)(\.|\/)/.test(path));
    expect(odd).toEqual([]);
  });

  it('constants are camelCase, except those with the name of a man page', () => {
    const code = tracked.filter((path) =>
      /^(packages|test|bench|scripts|examples)\/.*\.(ts|mjs|js)$/.test(path),
    );
    const allowed = /^packages\/copy\/src\/kernel\//;
    const shouting = code
      .filter((path) => !allowed.test(path))
      .flatMap((path) =>
        [...codeOf(path).matchAll(/^(?:export )?const ([A-Z][A-Z0-9_]*)\b/gm)]
          .map((match) => match[1] ?? '')
          .map((name) => `${path}: ${name}`),
      );
    expect(shouting).toEqual([]);
  });

  it('every TODO names its issue', () => {
    const notes = sources.flatMap((path) =>
      read(path)
        .split('\n')
        .filter((line) => /\b(TODO|FIXME|XXX)\b/.test(line) && !/#\d+/.test(line))
        .map((line) => `${path}: ${line.trim()}`),
    );
    expect(notes).toEqual([]);
  });
});

describe('dependencies', () => {
  const manifests = tracked.filter((path) => /^(packages\/[^/]+\/)?package\.json$/.test(path));
  type Manifest = Record<string, Record<string, string> | undefined>;
  const dependencies = manifests.flatMap((path): [string, string][] => {
    const manifest = JSON.parse(read(path)) as Manifest;
    const kinds = ['dependencies', 'devDependencies', 'optionalDependencies'];
    return kinds.flatMap((kind) => Object.entries(manifest[kind] ?? {}));
  });

  it('every version is exact, except of the optional dependency of a library', () => {
    // An exact version would keep a user of @wcc/copy from sharing koffi with other packages, and from fixes.
    const ranges: Record<string, string> = { koffi: '^3.3.4' };
    const inexact = dependencies.filter(
      ([name, version]) => !/^\d+\.\d+\.\d+$/.test(version) && ranges[name] !== version,
    );
    expect(inexact).toEqual([]);
  });

  it('docs/dependencies.md gives a reason for every dependency', () => {
    const page = read('docs/dependencies.md');
    const names = new Set(dependencies.map(([name]) => name).filter((name) => !name.startsWith('@wcc/')));
    expect([...names].filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
  });

  interface LockEntry {
    resolved?: string;
    integrity?: string;
    link?: boolean;
    engines?: { node?: string };
    optionalDependencies?: Record<string, string>;
  }
  const lock = JSON.parse(read('package-lock.json')) as { packages: Record<string, LockEntry> };
  const entries = Object.entries(lock.packages).filter(([path]) => path.includes('node_modules/'));

  it('every locked package runs on Node 20', () => {
    // The first number of each alternative in a range is the oldest major version that the range allows.
    const admits = (range: string): boolean =>
      range.split('||').some((part) => Number(/\d+/.exec(part)?.[0] ?? 0) <= 20);
    const tooNew = entries.filter(([, { engines }]) => !admits(engines?.node ?? '*'));
    expect(tooNew.map(([path, { engines }]) => `${path}: ${engines?.node}`)).toEqual([]);
  });

  it('the lock file contains the binaries of every platform, because npm ci needs them', () => {
    const missing = entries.flatMap(([, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter((name) => !lock.packages[`node_modules/${name}`]),
    );
    expect(missing).toEqual([]);
  });

  it('the lock file has no registry address, and an integrity hash for every package', () => {
    expect(entries.length).toBeGreaterThan(50);
    expect(entries.filter(([, entry]) => entry.resolved?.includes('://')).map(([path]) => path)).toEqual([]);
    expect(entries.filter(([, entry]) => !entry.link && !entry.integrity).map(([path]) => path)).toEqual([]);
  });
});

describe('documents', () => {
  it('every relative link in a page has an existing target', () => {
    const pages = tracked.filter((path) => path.endsWith('.md'));
    const dead = pages.flatMap((page) =>
      [...read(page).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)[^)]*\)/g)]
        .map((match) => relative(root, resolve(root, dirname(page), match[1] ?? '')))
        .filter((path) => !tracked.some((known) => known === path || known.startsWith(`${path}/`)))
        .map((path) => `${page} → ${path}`),
    );
    expect(dead).toEqual([]);
  });

  it('the index of decisions lists every record once, by number, under its own heading', () => {
    const index = read('docs/decisions/README.md');
    const listed = [...index.matchAll(/^\| \[(\d{4})\]\((\S+)\) +\| (.+?) +\| [a-z]+ +\|$/gm)].map((row) =>
      row.slice(1),
    );
    const records = tracked.filter((path) => /^docs\/decisions\/\d{4}-.*\.md$/.test(path)).toSorted();
    expect(records.filter((path) => !index.includes(basename(path)))).toEqual([]);
    expect(listed).toEqual(
      records.map((path) => {
        const [number, title] = /^# (\d{4}): (.+)$/m.exec(read(path))?.slice(1) ?? [];
        return [number, basename(path), title];
      }),
    );
  });

  it('the glossary lists each word once, in alphabetical order', () => {
    const rows = [...read('docs/glossary.md').matchAll(/^\| (?!word |-)(.+?) +\| /gm)];
    const words = rows.map(([, word]) => word ?? '');
    expect(words.length).toBeGreaterThan(40);
    expect(words).toEqual([...new Set(words)].toSorted());
  });

  it('CONTRIBUTING.md has at most 120 lines, and every path that it names exists', () => {
    const page = read('CONTRIBUTING.md');
    expect(page.split('\n').length).toBeLessThanOrEqual(121);
    const paths = [...page.matchAll(/`((?:packages|test|docs|scripts|bench)(?:\/[^`\s]*)?)`/g)]
      .map(([, path]) => path ?? '')
      .filter((path) => !path.includes('<'));
    expect(paths.length).toBeGreaterThan(40);
    const exists = (path: string): boolean =>
      tracked.some((known) => known === path || known.startsWith(`${path}/`));
    expect(paths.filter((path) => !exists(path))).toEqual([]);
  });

  it('every npm script that a page names exists', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const pages = tracked.filter((path) => path.endsWith('.md'));
    const named = pages.flatMap((page) =>
      [...read(page).matchAll(/\bnpm run ([a-z:-]+)/g)].map(([, name]) => `${page} → ${name}`),
    );
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((entry) => !((entry.split(' → ')[1] ?? '') in scripts))).toEqual([]);
  });

  it('the architecture page names every folder of the source tree', () => {
    const page = read('docs/architecture.md');
    const names = new Set(
      production
        .map((path) => path.split('/').slice(1, 4))
        .filter((parts) => parts.length === 3 && !(parts[2] ?? '').includes('.'))
        .map((parts) => `${parts[0]}/src/${parts[2]}`),
    );
    expect([...names].filter((name) => !page.includes(name))).toEqual([]);
  });
});

/**
 * Words that made strangers translate. Each has a plain word in the field: "resume" for "go on", "anyone" for
 * "whoever", "report" for "tell". A quotation of what others say is marked with `dialect: quoted` on its line.
 */
describe('plain words', () => {
  const dialect = [
    /\bwhoever\b/i,
    /\banew\b/i,
    /\b(goes|go|going|went|gone) on\b/i,
    /\bso (many|long|often)\b(?! that\b)/i,
    /\bof which\b/i,
    /\btold\b/i,
    /\btells\b/i,
    /\bheld back\b/i,
    /\b(nobody|somebody|everybody)\b/i,
    /\bbeforehand\b/i,
    /\ball the same\b/i,
    /\b(takes|taken|took) up\b/i,
    /\b(gives|gave|given) back\b/i,
    /\bleftovers?\b/i,
    /\bmeanwhile\b/i,
  ];
  /** `sizeBytes` → `size Bytes`, so that a word inside an identifier counts. */
  const wordsOf = (line: string): string =>
    line.replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2').replaceAll('_', ' ');
  const readable = tracked.filter(
    (path) =>
      /\.(ts|mjs|js|md|html|py|rb|sh)$/.test(path) &&
      !/^(CHANGELOG\.md|test\/repository\.test\.ts|test\/fixtures\/)/.test(path),
  );

  it('no identifier, comment, title, text or page uses the words of the old dialect', () => {
    expect(readable.length).toBeGreaterThan(500);
    const hits = readable.flatMap((path) =>
      read(path)
        .split('\n')
        .flatMap((line, index) => {
          const found = dialect
            .map((pattern) => pattern.exec(wordsOf(line))?.[0])
            .find((word) => word !== undefined);
          return found === undefined || line.includes('dialect: quoted')
            ? []
            : [`${path}:${index + 1}: ${found}`];
        }),
    );
    expect(hits).toEqual([]);
  });
});
