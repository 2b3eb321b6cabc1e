import { createHash, randomBytes } from 'node:crypto';
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliDecompressSync } from 'node:zlib';
import LibsqlDatabase from 'libsql';

const fixtures = fileURLToPath(new URL('../../test/fixtures/', import.meta.url));
const dayMs = 86_400_000;
/** Younger than what the server deletes. */
const historyMs = 60 * dayMs;
const imageBytes = 1024 ** 2;
const imageDataBytes = 4096;
const firstImageId = 100;
const rowsPerStatement = 50;

/** The newest release that has a fixture. */
export const release = readdirSync(fixtures, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && /^\d/.test(entry.name))
  .map(({ name }) => name)
  .toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }))
  .at(-1);

/**
 * Makes a data directory and a pool of the last release. Schema, installation, users and the pool are those of its
 * fixture. Ended operations, their logs and audit rows are copies of the fixture's rows with other ids and times.
 */
export function makeHistory(home, { operations, images }) {
  const unpacked = join(home, 'release');
  mkdirSync(unpacked, { recursive: true });
  const archive = brotliDecompressSync(readFileSync(join(fixtures, release, 'state.tar.br')));
  execFileSync('tar', ['--extract', '--file=-', '--no-same-owner', `--directory=${unpacked}`], {
    input: archive,
  });
  const source = new LibsqlDatabase(join(unpacked, 'data', 'wcc.sqlite'));
  const made = { dataDir: join(home, 'data'), poolDir: join(home, 'pool') };
  mkdirSync(made.dataDir, { mode: 0o700 });
  mkdirSync(made.poolDir);
  const target = new LibsqlDatabase(join(made.dataDir, 'wcc.sqlite'));
  for (const pragma of ['application_id', 'user_version'])
    target.exec(`pragma ${pragma} = ${source.prepare(`pragma ${pragma}`).get()[pragma]}`);
  target.exec('pragma journal_mode = wal');
  target.exec('pragma synchronous = off');
  target.exec('pragma cache_size = -500000');
  const schema = source
    .prepare("select type, sql from sqlite_master where sql is not null and name not like 'sqlite_%'")
    .all();
  const create = (types) => {
    for (const { type, sql } of schema) if (types.includes(type)) target.exec(sql);
  };
  target.exec('begin');
  create(['table']);
  for (const table of ['settings', 'users', 'pools', 'counters']) copyTable(source, target, table);
  target.prepare('update pools set path = ?').run(made.poolDir);
  target.prepare("update counters set value = ? where name = 'image'").run(firstImageId + images);
  writeImages(target, { poolDir: made.poolDir, images });
  writeOperations(source, target, operations);
  // Indexes of complete tables are faster than indexes that grow.
  create(['index', 'trigger']);
  target.exec('commit');
  target.close();
  source.close();
  for (const name of ['.wcc-pool', '.wcc-pool.lock'])
    writeFileSync(join(made.poolDir, name), readFileSync(join(unpacked, 'pool', name)));
  writeFileSync(join(made.dataDir, 'secrets.key'), readFileSync(join(unpacked, 'data', 'secrets.key')), {
    mode: 0o600,
  });
  return { ...made, databaseBytes: statSync(join(made.dataDir, 'wcc.sqlite')).size };
}

/** Inserts rows, several with one statement. `flush` inserts the rest. */
function insertInto(database, table, columns) {
  const values = `(${columns.map(() => '?').join(', ')})`;
  const statementFor = (count) =>
    database.prepare(
      `insert into ${table} (${columns.join(', ')}) values ${Array(count).fill(values).join(', ')}`,
    );
  const complete = statementFor(rowsPerStatement);
  let waiting = [];
  const flush = () => {
    const count = waiting.length / columns.length;
    if (count > 0) (count === rowsPerStatement ? complete : statementFor(count)).run(waiting);
    waiting = [];
  };
  const insert = (row) => {
    for (const column of columns) waiting.push(row[column]);
    if (waiting.length === rowsPerStatement * columns.length) flush();
  };
  return { insert, flush };
}

function copyTable(source, target, table) {
  const rows = source.prepare(`select * from ${table}`).all();
  const { insert, flush } = insertInto(target, table, Object.keys(rows[0]));
  for (const row of rows) insert(row);
  flush();
}

/** Files with little data, and the rows that a look at the pool by the release stores. */
function writeImages(target, { poolDir, images }) {
  const { id: poolId } = target.prepare('select id from pools').get();
  const data = randomBytes(imageDataBytes);
  const columns = [
    'id',
    'poolId',
    'name',
    'format',
    'virtualSizeBytes',
    'sizeBytes',
    'dataBytes',
    'state',
    'inode',
    'mtimeNs',
    'createdAt',
  ];
  const { insert, flush } = insertInto(target, 'images', columns);
  for (let index = 0; index < images; index += 1) {
    const name = `image-${String(index).padStart(5, '0')}.raw`;
    const path = join(poolDir, name);
    const file = openSync(path, 'wx');
    writeSync(file, data);
    closeSync(file);
    truncateSync(path, imageBytes);
    const { ino, mtimeNs, blocks } = statSync(path, { bigint: true });
    insert({
      id: firstImageId + index,
      poolId,
      name,
      format: 'raw',
      virtualSizeBytes: imageBytes,
      sizeBytes: imageBytes,
      dataBytes: Number(blocks) * 512,
      state: 'ready',
      inode: String(ino),
      mtimeNs: String(mtimeNs),
      createdAt: new Date().toISOString(),
    });
  }
  flush();
}

/** Copies the ended operations of the release, oldest first, with their logs and two audit rows each. */
function writeOperations(source, target, count) {
  const templates = source.prepare('select * from operations where endedAt is not null order by id').all();
  const columns = Object.keys(templates[0]);
  const { insert, flush } = insertInto(target, 'operations', columns);
  const audit = auditOf(target);
  const firstMs = Date.now() - historyMs;
  for (let index = 0; index < count; index += 1) {
    const template = templates[index % templates.length];
    const id = newId();
    const shiftMs = Math.floor(firstMs + (index * historyMs) / count) - Date.parse(template.createdAt);
    const at = (time) => (time === null ? null : new Date(Date.parse(time) + shiftMs).toISOString());
    const row = {
      ...template,
      id,
      createdAt: at(template.createdAt),
      startedAt: at(template.startedAt),
      endedAt: at(template.endedAt),
    };
    const record = JSON.parse(template.record);
    row.record = JSON.stringify({
      ...record,
      id,
      createdAt: row.createdAt,
      startedAt: row.startedAt,
      endedAt: row.endedAt,
    });
    insert(row);
    const who = { who: record.ownerName, subject: `operation:${id}` };
    audit.add({ ...who, at: row.createdAt, what: row.action, result: 'ok' });
    audit.add({
      ...who,
      at: row.endedAt,
      what: `${row.action}.end`,
      result: row.state === 'succeeded' ? 'ok' : row.state,
    });
  }
  flush();
  audit.flush();
  writeLogs(source, target, templates);
}

/** In the order of the key, because the table is stored in that order. */
function writeLogs(source, target, templates) {
  target.exec('create temp table logs (position integer, number integer, at text, kind text, text text)');
  const { insert, flush } = insertInto(target, 'temp.logs', ['position', 'number', 'at', 'kind', 'text']);
  const rows = source.prepare('select * from operationLog').all();
  for (const [position, { id }] of templates.entries())
    for (const row of rows) if (row.operationId === id) insert({ ...row, position });
  flush();
  target.exec('create index temp.logsByPosition on logs (position)');
  target.exec(`insert into operationLog select operations.id, number, at, kind, text
    from operations join temp.logs on position = (operations.rowid - 1) % ${templates.length} order by operations.id, number`);
}

/** Appends rows to the hash chain of the audit record. */
function auditOf(target) {
  const columns = ['number', 'at', 'who', 'address', 'what', 'subject', 'result', 'previousHash', 'hash'];
  const { insert, flush } = insertInto(target, 'audit', columns);
  const address = '127.0.0.1';
  let [number, previousHash] = [0, '0'.repeat(64)];
  const add = ({ at, who, what, subject, result }) => {
    number += 1;
    const fields = JSON.stringify([number, at, who, address, what, subject, result, previousHash]);
    const hash = createHash('sha256').update(fields).digest('hex');
    insert({ number, at, who, address, what, subject, result, previousHash, hash });
    previousHash = hash;
  };
  return { add, flush };
}

const letters = 'abcdefghijklmnopqrstuvwxyz234567';

/** 128 random bits in base32, as the ids of the product. */
function newId() {
  const bytes = randomBytes(26);
  let id = letters[bytes[0] & 7];
  for (let index = 1; index < 26; index += 1) id += letters[bytes[index] & 31];
  return id;
}

/** Makes all operations older than what the server keeps, as if the server had run for a longer time. */
export function makeOld({ dataDir }) {
  const database = new LibsqlDatabase(join(dataDir, 'wcc.sqlite'));
  const wallMs = Date.now();
  const value = JSON.stringify({ nowMs: wallMs + 200 * dayMs, wallMs });
  database.prepare("update settings set value = ? where key = 'retentionClock'").run(value);
  const { count } = database.prepare('select count(*) as count from operations').get();
  database.close();
  return count;
}
