import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliDecompressSync } from 'node:zlib';
import LibsqlDatabase from 'libsql';
import type { TokenScope } from '@wcc/api';

const fixtures = fileURLToPath(new URL('../fixtures/', import.meta.url));

/** An operation that had not ended when the server of the release was killed. */
export interface Unfinished {
  id: string;
  /** Name of the image or machine that it makes. */
  name: string;
  /** Digest of the file that an upload makes. */
  sha256: string;
}

/** The content of a fixture's `manifest.json`, which `test/fixtures/make.mjs` writes. */
export interface Manifest {
  release: string;
  madeAt: string;
  /** Where the directories of the release were. */
  root: string;
  origin: string;
  adminToken: string;
  users: Record<string, string>;
  passwords: Record<string, string>;
  roles: Record<string, string>;
  profile: { user: string; sshKeys: string[] };
  sessions: Record<string, string>;
  tokens: Record<string, { id: string; name: string; scope: TokenScope; userName: string; secret: string }>;
  shares: Record<string, { id: string; operationId: string; name: string; secret: string; link: string }>;
  grants: Record<string, Record<string, string>>;
  unfinished: Record<string, Unfinished>;
  idempotent: { path: string; key: string; body: unknown; operation: string };
  download: { image: string; file: string };
  /** SHA-256 of images, by name. */
  digests: Record<string, string>;
  /** Rows by table. */
  counts: Record<string, number>;
  /** Inode of each file of the pool → its path below `root`. */
  inodes: Record<string, string>;
}

export interface ReleaseFixture {
  readonly manifest: Manifest;
  readonly dataDir: string;
  readonly poolDir: string;
  readonly clientDir: string;
  readonly libvirtDir: string;
}

/** Environment that sets a server's wall clock to the kill, when nothing had expired. */
export function releaseClock({ madeAt }: Manifest): Record<string, string> {
  const preload = new URL('shifted-clock.mjs', import.meta.url).href;
  return { NODE_OPTIONS: `--import=${preload}`, WCC_TEST_NOW: madeAt };
}

/** Names of the releases that have a fixture. */
export function releasesWithFixture(): string[] {
  return readdirSync(fixtures).filter((name) => existsSync(join(fixtures, name, 'manifest.json')));
}

export interface UnpackOptions {
  /**
   * `renewed`: the data directory knows the inodes of the files, as after an upgrade in place. `restored`: it knows
   * other inodes, as after a restore from a backup. @default 'renewed'
   */
  as?: 'renewed' | 'restored';
}

/** Unpacks the fixture of a release into another directory than the one where the release ran. */
export function unpackRelease(release: string, home: string, options: UnpackOptions = {}): ReleaseFixture {
  const folder = join(fixtures, release);
  const manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as Manifest;
  const archive = brotliDecompressSync(readFileSync(join(folder, 'state.tar.br')));
  const flags = ['--extract', '--file=-', '--same-permissions', '--no-same-owner'];
  execFileSync('tar', [...flags, `--directory=${home}`], { input: archive });
  const fixture: ReleaseFixture = {
    manifest,
    dataDir: join(home, 'data'),
    poolDir: join(home, 'pool'),
    clientDir: join(home, 'client'),
    libvirtDir: join(home, 'libvirt'),
  };
  if (options.as !== 'restored') renumber(fixture, home);
  return fixture;
}

/** Writes the inodes of the unpacked files into sidecars and rows, because only a file system image keeps old ones. */
function renumber({ manifest, dataDir, poolDir, clientDir }: ReleaseFixture, home: string): void {
  const numbers = new Map(
    Object.entries(manifest.inodes)
      .filter(([, path]) => existsSync(join(home, path)) || isLink(join(home, path)))
      .map(([inode, path]) => [inode, String(lstatSync(join(home, path), { bigint: true }).ino)]),
  );
  const replaced = (text: string): string =>
    text.replaceAll(/(?<=^|")\d+(?=[":]|$)/g, (number) => numbers.get(number) ?? number);
  for (const name of readdirSync(poolDir).filter((one) => /^\.wcc-.*\.json$/.test(one)))
    rewrite(join(poolDir, name), replaced);
  // An ETag: `"<inode>-<size>-<time>"` in hexadecimal digits.
  rewrite(join(clientDir, `${manifest.download.file}.part.etag`), (text) =>
    text.replace(/^"[0-9a-f]+/, (inode) => {
      const number = BigInt(`0x${inode.slice(1)}`);
      return `"${BigInt(numbers.get(String(number)) ?? number).toString(16)}`;
    }),
  );
  const database = new LibsqlDatabase(join(dataDir, 'wcc.sqlite'));
  for (const [table, column] of columnsWithInodes) {
    const found = database.prepare(`select distinct ${column} as text from ${table}`).all() as TextRow[];
    // In two steps, because the new inode of one file may be the old inode of another.
    const mark = database.prepare(`update ${table} set ${column} = '#' || ? where ${column} = ?`);
    for (const { text } of found) if (text !== null) mark.run(replaced(text), text);
    database.exec(`update ${table} set ${column} = substr(${column}, 2) where ${column} is not null`);
  }
  database.close();
}

interface TextRow {
  text: string | null;
}

/** Columns that hold an inode, in the schema of the releases that have a fixture. */
const columnsWithInodes = [
  ['images', 'inode'],
  ['images', 'digestOf'],
  ['vmDisks', 'inode'],
  ['operations', 'input'],
] as const;

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
}

/** Keeps the file's modification time, because the expiry of an upload depends on that time. */
function rewrite(path: string, change: (text: string) => string): void {
  const { atime, mtime } = lstatSync(path);
  writeFileSync(path, change(readFileSync(path, 'utf8')));
  utimesSync(path, atime, mtime);
}

export interface AuditRow {
  number: number;
  at: string;
  who: string;
  address: string;
  what: string;
  subject: string | null;
  result: string;
  previousHash: string;
  hash: string;
}

/** Reads all rows of a table from the database file. A server may have the file open. */
export function readTable<Row>(dataDir: string, table: string): Row[] {
  const database = new LibsqlDatabase(join(dataDir, 'wcc.sqlite'), { readonly: true });
  try {
    return database.prepare(`select * from ${table}`).all() as Row[];
  } finally {
    database.close();
  }
}

/** Number of the first audit row that breaks the chain, or null. Shares no code with the server. */
export function findBrokenLink(rows: readonly AuditRow[]): number | null {
  let previousHash = '0'.repeat(64);
  for (const [index, row] of rows.entries()) {
    const { number, at, who, address, what, subject, result } = row;
    const fields = JSON.stringify([number, at, who, address, what, subject, result, previousHash]);
    const hash = createHash('sha256').update(fields).digest('hex');
    if (number !== index + 1 || row.previousHash !== previousHash || row.hash !== hash) return number;
    previousHash = hash;
  }
  return null;
}
