import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import LibsqlDatabase from 'libsql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../kit/cli.ts';
import type { CliResult } from '../kit/cli.ts';
import { makeWorkspace } from '../kit/directories.ts';
import { readTable, releaseClock, releasesWithFixture, unpackRelease } from '../kit/release-fixture.ts';
import { startServer } from '../kit/server.ts';
import type { TestServer } from '../kit/server.ts';

const verify = (dataDir: string, ...options: string[]): Promise<CliResult> =>
  runCli(['audit', 'verify', '--data-dir', dataDir, ...options]);

function change(dataDir: string, sql: string): void {
  const database = new LibsqlDatabase(join(dataDir, 'wcc.sqlite'));
  database.exec(sql);
  database.close();
}

const cutTail = (rows: number): string => `drop trigger auditForbidsDelete;
  delete from audit where number > (select max(number) - ${rows} from audit)`;

describe('SL8: wcc audit verify', () => {
  let server: TestServer;

  beforeAll(async () => {
    server = await startServer();
    for (const name of ['ann', 'bob', 'cid'])
      await server.api.createUser({ name, role: 'operator', password: `${name} reads seven books` });
  });
  afterAll(() => server.close());

  it('checks the record while the server runs, and its newest rows after the stop', async () => {
    const running = await verify(server.dataDir);
    expect(running).toMatchObject({ code: 0, stderr: '' });
    expect(running.stdout).toMatch(/^rows: +3$/m);
    expect(running.stdout).toMatch(/^result: +intact$/m);
    await server.stop();
    const stopped = JSON.parse((await verify(server.dataDir, '--json')).stdout) as object;
    expect(stopped).toMatchObject({ intact: true, rowCount: 3, lastAnchor: { number: 3 }, problems: [] });
  });

  it('finds a cut tail, with the exit code 1', async () => {
    change(server.dataDir, cutTail(2));
    const cut = await verify(server.dataDir);
    expect(cut.code).toBe(1);
    expect(cut.stdout).toContain('rows 2 to 3: signed, but missing at the end of the record');
    expect(cut.stderr).toContain('First bad row: 2.');
  });

  it('finds a replaced database by the anchors in the log', async () => {
    change(server.dataDir, 'drop trigger auditAnchorsForbidDelete; delete from auditAnchors');
    writeFileSync(join(server.dataDir, 'audit.anchor'), '');
    expect(await verify(server.dataDir)).toMatchObject({ code: 0 });
    const log = join(server.dataDir, 'log.txt');
    writeFileSync(log, server.log());
    expect(await verify(server.dataDir, '--log', log)).toMatchObject({ code: 1 });
    const anchor = /"auditAnchor":"([^"]+)"/.exec(server.log())?.[1] ?? 'no anchor in the log';
    expect(await verify(server.dataDir, '--anchor', anchor)).toMatchObject({ code: 1 });
  });

  it('refuses what is not an anchor, and a directory without a database', async () => {
    const anchor = /"auditAnchor":"([^"]+)"/.exec(server.log())?.[1] ?? 'no anchor in the log';
    for (const text of ['12', anchor.slice(0, -1), `${anchor} ${anchor}`])
      expect(await verify(server.dataDir, '--anchor', text), text).toMatchObject({ code: 2 });
    expect(await verify('/nonexistent')).toMatchObject({ code: 7, stdout: '' });
  });
});

describe.each(releasesWithFixture())('SL8: wcc audit verify on data of release %s', (release) => {
  const workspace = makeWorkspace('audit');
  afterAll(() => workspace.remove());

  it('is intact and not anchored, then anchored by this version, and a changed row is found', async () => {
    const { dataDir, poolDir, manifest } = unpackRelease(release, workspace.path);
    const count = readTable(dataDir, 'audit').length;
    const before = await verify(dataDir);
    expect(before).toMatchObject({ code: 0 });
    expect(before.stdout).toMatch(new RegExp(`^rows: +${count}$`, 'm'));
    expect(before.stdout).toMatch(/^not anchored: +all rows$/m);
    const args = ['--hypervisor', 'qemu', '--free-space-floor', '0'];
    const { adminToken: token } = manifest;
    const server = await startServer({ dataDir, poolDir, token, args, env: releaseClock(manifest) });
    try {
      await server.stop();
      const after = JSON.parse((await verify(dataDir, '--json')).stdout) as { rowCount: number };
      expect(after).toMatchObject({ intact: true, firstAnchor: { number: count } });
      expect(after).toMatchObject({ lastAnchor: { number: after.rowCount } });
      change(dataDir, `drop trigger auditForbidsUpdate; update audit set result = 'ok ' where number = 3`);
      const changed = await verify(dataDir);
      expect(changed).toMatchObject({ code: 1 });
      expect(changed.stdout).toContain('row 3: changed');
    } finally {
      await server.close();
    }
  });
});
