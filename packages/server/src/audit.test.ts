import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, rmdir, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Libsql from 'libsql';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { anchorAudit } from './anchor-audit.ts';
import { verifyAudit } from './audit.ts';
import { auditHash, auditStatement } from './storage/audit.ts';
import type { AuditRow } from './storage/audit.ts';
import { startAuditAnchoring } from './storage/audit-anchoring.ts';
import type { AuditAnchoring } from './storage/audit-anchoring.ts';
import { openStore } from './storage/store.ts';
import type { Store } from './storage/store.ts';

let dataDir: string;
let store: Store;
let anchoring: AuditAnchoring;
let logged: string[];
let restored: number[];
const path = (): string => join(dataDir, 'wcc.sqlite');

async function open(): Promise<void> {
  store = await openStore(path(), {
    onError: (error) => {
      throw error;
    },
  });
  anchoring = await startAuditAnchoring({
    store,
    dataDir,
    log: (anchor) => void logged.push(anchor),
    onRestored: ({ number }) => void restored.push(number),
  });
  await anchoring.anchor();
}

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'wcc-audit-'));
  logged = [];
  restored = [];
  await open();
});
afterEach(async () => {
  await store.close();
  await rm(dataDir, { recursive: true });
});

async function addRows(count: number): Promise<void> {
  const rows = Array.from({ length: count }, (_, index) =>
    auditStatement({ who: 'sato', address: '127.0.0.1', what: `word.${index}`, subject: null, result: 'ok' }),
  );
  await store.write(rows);
}

/** Ten rows, an anchor, ten rows, an anchor. */
async function makeRecord(): Promise<void> {
  await addRows(10);
  await anchoring.anchor();
  await addRows(10);
  await anchoring.anchor();
}

/** Changes the closed database as another program can. */
async function tamper(change: (database: Libsql.Database) => void): Promise<void> {
  await store.close();
  const database = new Libsql(path());
  for (const name of ['auditForbidsUpdate', 'auditForbidsDelete', 'auditAnchorsForbidDelete'])
    database.exec(`drop trigger ${name}`);
  change(database);
  database.close();
}

/** Computes all hashes again, as a person can who knows how they are made. */
function recompute(database: Libsql.Database): void {
  let previousHash = '0'.repeat(64);
  for (const row of database.prepare('select * from audit order by number').all() as AuditRow[]) {
    const hash = auditHash({ ...row, previousHash });
    database
      .prepare('update audit set previousHash = ?, hash = ? where number = ?')
      .run([previousHash, hash, row.number]);
    previousHash = hash;
  }
}

const verify = (anchorTexts: string[] = []) => verifyAudit({ dataDir, environment: {}, anchorTexts });

describe('SL8: the audit record is signed', () => {
  it('an unchanged record is intact, and its anchors name their rows', async () => {
    await makeRecord();
    expect(await verify(logged)).toMatchObject({
      intact: true,
      rowCount: 20,
      anchorCount: 2,
      firstAnchor: { number: 10 },
      lastAnchor: { number: 20 },
      otherKeyCount: 0,
      problems: [],
    });
  });

  it('a verification without a server leaves no log and no index of SQLite', async () => {
    await makeRecord();
    await store.close();
    await rm(`${path()}-wal`, { force: true });
    const names = await readdir(dataDir);
    expect(await verify()).toMatchObject({ intact: true, rowCount: 20 });
    expect(await readdir(dataDir)).toEqual(names);
  });

  it('an anchor writes nothing when the last row is signed, also after a restart', async () => {
    await makeRecord();
    const before = await stat(join(dataDir, 'audit.anchor'), { bigint: true });
    await anchoring.anchor();
    await store.close();
    await open();
    await anchoring.anchor();
    expect(await stat(join(dataDir, 'audit.anchor'), { bigint: true })).toMatchObject({ ino: before.ino });
    expect(logged).toHaveLength(2);
  });

  it('a disk that takes no anchor prevents neither a start nor a stop, and the next anchor signs the row', async () => {
    await addRows(1);
    const obstacle = join(dataDir, 'audit.anchor.tmp');
    await mkdir(obstacle);
    const failed: string[] = [];
    const stop = await anchorAudit(store, {
      config: { dataDir },
      logger: { info: () => {}, error: () => {} },
      onError: (_error, { stage }) => void failed.push(stage),
    });
    await stop();
    expect(failed).toEqual(['audit-anchor', 'audit-anchor']);
    await rmdir(obstacle);
    await anchoring.anchor();
    expect(await verify()).toMatchObject({ intact: true, lastAnchor: { number: 1 } });
  });

  it('rows that were cut off at the end are missing', async () => {
    await makeRecord();
    await tamper((database) => void database.exec('delete from audit where number > 15'));
    const problems = [{ kind: 'tail_missing', number: 16, upTo: 20 }];
    expect(await verify()).toMatchObject({ intact: false, problems });
  });

  it('rows that were cut off with their anchors are missing by the file beside the database', async () => {
    await makeRecord();
    await tamper((database) => {
      database.exec('delete from audit where number > 5; delete from auditAnchors');
    });
    expect(await verify()).toMatchObject({ problems: [{ kind: 'tail_missing', number: 6, upTo: 20 }] });
  });

  it('a changed row is named', async () => {
    await makeRecord();
    await tamper((database) => void database.exec(`update audit set who = 'mallory' where number = 7`));
    expect(await verify()).toMatchObject({ problems: [{ kind: 'row_changed', number: 7, upTo: 7 }] });
  });

  it('a removed row in the middle is named', async () => {
    await makeRecord();
    await tamper((database) => void database.exec('delete from audit where number = 7'));
    const { problems } = await verify();
    expect(problems).toContainEqual({ kind: 'row_missing', number: 7, upTo: 7 });
  });

  it('a forged row whose chain was computed again lies between the two anchors that enclose it', async () => {
    await makeRecord();
    await tamper((database) => {
      database.exec(`update audit set who = 'mallory' where number = 13`);
      recompute(database);
    });
    expect(await verify()).toMatchObject({ problems: [{ kind: 'rewritten', number: 11, upTo: 20 }] });
  });

  it('a forged anchor is named', async () => {
    await makeRecord();
    await tamper((database) => {
      database.exec(`update audit set who = 'mallory' where number = 13`);
      recompute(database);
      database.exec(`drop trigger auditAnchorsForbidUpdate;
        update auditAnchors set hash = (select hash from audit where audit.number = auditAnchors.number)`);
    });
    const { problems } = await verify();
    expect(problems).toContainEqual({ kind: 'anchor_forged', number: 20, upTo: 20 });
    expect(problems).toContainEqual({ kind: 'rewritten', number: 11, upTo: 20 });
  });

  it('a data directory that was replaced as a whole contradicts the anchors of the log', async () => {
    await makeRecord();
    await tamper((database) => {
      database.exec('delete from audit; delete from auditAnchors');
    });
    await rm(join(dataDir, 'audit.anchor'));
    expect(await verify()).toMatchObject({ intact: true, rowCount: 0 });
    const lines = logged.map((auditAnchor) => JSON.stringify({ level: 30, auditAnchor }));
    expect(await verify(lines)).toMatchObject({ problems: [{ kind: 'tail_missing', number: 1, upTo: 20 }] });
  });

  it('anchors of another key are compared, and reported as not checked', async () => {
    await makeRecord();
    await rm(join(dataDir, 'secrets.key'));
    expect(await verify()).toMatchObject({ intact: true, hasKey: false, otherKeyCount: 2 });
    await store.close();
    await open();
    await addRows(1);
    await anchoring.anchor();
    // The new key signs the last row at the start, and the new row.
    expect(await verify()).toMatchObject({ intact: true, hasKey: true, otherKeyCount: 2, anchorCount: 4 });
  });

  it('the server writes a row when an earlier database was put back, and the check reports it', async () => {
    await addRows(10);
    await anchoring.anchor();
    await store.close();
    await copyFile(path(), `${path()}.backup`);
    await open();
    await addRows(10);
    await anchoring.anchor();
    await store.close();
    await copyFile(`${path()}.backup`, path());
    expect(await verify()).toMatchObject({ problems: [{ kind: 'tail_missing', number: 11, upTo: 20 }] });
    await open();
    expect(restored).toEqual([20]);
    await addRows(15);
    await anchoring.anchor();
    const checked = await verify(logged);
    expect(checked).toMatchObject({ intact: true, rowCount: 26, problems: [] });
    expect(checked.restores).toMatchObject([{ number: 11 }]);
  });

  it('the anchor file is readable by the owner only', async () => {
    await makeRecord();
    const file = join(dataDir, 'audit.anchor');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readFile(file, 'utf8')).toBe(`${logged.at(-1)}\n`);
  });

  it('a directory without a database is an error, and gets no database', async () => {
    await expect(
      verifyAudit({ dataDir: join(dataDir, 'missing'), environment: {}, anchorTexts: [] }),
    ).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
