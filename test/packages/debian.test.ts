import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isSkipped } from '../../packages/copy/src/testkit/skip.testkit.ts';
import { makeTree, treeSkipReason } from '../kit/debian/tree.ts';
import type { DebianTree, Release } from '../kit/debian/tree.ts';
import { makeWorkspace } from '../kit/directories.ts';
import { makeRandomImage, MiB, sha256 } from '../kit/images.ts';
import { rawRequest } from '../kit/network/raw-http.ts';
import { currentPhase, registerImage, waitForState } from '../kit/operations.ts';
import { until } from '../kit/poll.ts';
import { buildDeb, buildSkipReason } from '../kit/release-build.ts';
import { startServer } from '../kit/server.ts';
import type { TestServer } from '../kit/server.ts';
import { isLongRun } from '../kit/share.ts';

/**
 * The package in clean trees of Debian. A chroot has no systemd, so the test starts and stops `wcc serve` where the
 * service would.
 */
const releases: readonly Release[] = isLongRun || process.env['WCC_NODES'] !== undefined ? [12, 13] : [12];
const workspace = makeWorkspace('packages');
const versions = { old: '0.1.9', current: '0.2.0' };
let older: string;
let newer: string;

beforeAll(async () => {
  if (buildSkipReason() !== null) return;
  older = await buildDeb(join(workspace.path, 'older'), versions.old);
  newer = await buildDeb(join(workspace.path, 'newer'), versions.current);
});
afterAll(() => workspace.remove());

describe.each(releases)('the package on Debian %s', (release) => {
  if (isSkipped(treeSkipReason() ?? buildSkipReason())) return;
  let tree: DebianTree;
  let server: TestServer;
  const pool = '/var/lib/wcc/images';
  const inTree = (path: string): string => join(tree.path, path);

  // The first tree of a release is downloaded, which takes minutes on a busy machine.
  beforeAll(async () => {
    tree = await makeTree(release);
  }, 900_000);
  afterAll(async () => {
    await server.close();
    tree.remove();
  });

  it('is installed by apt and serves a sign-in and the console', async () => {
    const output = await tree.install(older);
    expect(output).toContain('wcc is installed.');
    expect((await tree.inside('wcc', '--version')).trim()).toBe(versions.old);
    expect((await tree.inside('stat', '-c', '%U %a', '/var/lib/wcc')).trim()).toBe('wcc 700');
    // As the service runs, under its user.
    await tree.inside('install', '-d', '-o', 'wcc', '-g', 'wcc', pool);
    server = await startServer({
      root: tree.path,
      command: ['setpriv', '--reuid=wcc', '--regid=wcc', '--init-groups', '/usr/bin/wcc', 'serve'],
      home: '/var/lib/wcc',
      dataDir: '/var/lib/wcc',
      poolDir: pool,
    });
    const link = new URL(readFileSync(inTree('var/lib/wcc/initial-admin-link'), 'utf8').trim());
    const answer = await rawRequest(`${server.baseUrl}/api/first-sign-in`, {
      method: 'POST',
      headers: { origin: server.baseUrl, 'content-type': 'application/json' },
      body: JSON.stringify({ secret: link.hash.slice(1), name: 'admin', password: 'a long first password' }),
    });
    expect(answer.status).toBe(200);
    const page = await (await fetch(server.baseUrl)).text();
    const [script = ''] = /\/assets\/[^"]+\.js/.exec(page) ?? [];
    const asset = await fetch(server.baseUrl + script);
    expect(asset.status).toBe(200);
    expect((await asset.text()).length).toBeGreaterThan(1000);
  });

  it(
    'resumes a copy after an upgrade in the middle of it, with equal bytes',
    { timeout: 300_000 },
    async () => {
      await makeRandomImage(inTree(`${pool}/source.raw`), 96 * MiB);
      const image = await registerImage(server, 'source.raw');
      const { operation } = await server.api.copyImage(image.id, {
        name: 'copy.raw',
        method: 'copy',
        bytesPerSecond: 8 * MiB,
      });
      const copied = async (): Promise<number> =>
        currentPhase(await server.api.operation(operation.id))?.done ?? 0;
      const before = await until(async () => (await copied()) > 24 * MiB && copied(), {
        what: 'the copy to be on its way',
      });
      // As the service is stopped before the files are replaced.
      expect((await server.stop()).code).toBe(0);
      expect(existsSync(inTree(`${pool}/copy.raw`))).toBe(false);
      await tree.install(newer);
      expect((await tree.inside('wcc', '--version')).trim()).toBe(versions.current);
      await server.start();
      const resumed = await until(copied, { what: 'the copy to resume' });
      expect(resumed).toBeGreaterThanOrEqual(before);
      await waitForState(server, operation.id, { states: ['succeeded'], timeoutMs: 120_000 });
      expect(await sha256(inTree(`${pool}/copy.raw`))).toBe(await sha256(inTree(`${pool}/source.raw`)));
      expect((await server.stop()).code).toBe(0);
    },
  );

  it('keeps everything when it is removed', async () => {
    const before = readdirSync(inTree('var/lib/wcc'));
    await tree.inside('apt-get', 'remove', '-y', '-q', 'wcc');
    expect(existsSync(inTree('usr/lib/wcc'))).toBe(false);
    expect(existsSync(inTree('etc/wcc/wcc.env'))).toBe(true);
    expect(readdirSync(inTree('var/lib/wcc'))).toEqual(expect.arrayContaining(before));
  });

  it('leaves images and foreign files at a purge, and names them', async () => {
    const elsewhere = inTree('srv/pool');
    mkdirSync(elsewhere, { recursive: true });
    cpSync(inTree(`${pool}/source.raw`), join(elsewhere, 'other.raw'));
    await tree.install(newer);
    const settings = inTree('etc/wcc/wcc.env');
    writeFileSync(settings, `${readFileSync(settings, 'utf8')}\nWCC_POOL='/srv/pool'\n`);
    writeFileSync(inTree('var/lib/wcc/notes.txt'), 'of the operator');
    const output = await tree.inside('apt-get', 'purge', '-y', '-q', 'wcc');
    expect(readdirSync(inTree('var/lib/wcc')).toSorted()).toEqual(['images', 'notes.txt']);
    const images = readdirSync(inTree(pool)).filter((name) => !name.startsWith('.'));
    expect(images.toSorted()).toEqual(['copy.raw', 'source.raw']);
    expect(readdirSync(elsewhere)).toEqual(['other.raw']);
    expect(existsSync(inTree('etc/wcc'))).toBe(false);
    for (const name of ['/var/lib/wcc/images/copy.raw', '/var/lib/wcc/notes.txt', '/srv/pool'])
      expect(output).toContain(name);
  });
});

describe('a Debian package', () => {
  if (isSkipped(buildSkipReason())) return;
  let unpacked: string;
  beforeAll(() => {
    unpacked = join(workspace.path, 'a folder');
    execFileSync('dpkg-deb', ['-x', newer, unpacked]);
  });

  it('runs unpacked, from any folder, and needs at most 160 MiB', () => {
    const wcc = (...args: string[]): string =>
      execFileSync(join(unpacked, 'usr/bin/wcc'), args, {
        cwd: '/',
        encoding: 'utf8',
        env: { PATH: '/usr/bin:/bin' },
      });
    expect(wcc('--version')).toBe(`${versions.current}\n`);
    expect(wcc('serve', '--help')).toContain('--data-dir');
    const installed = Number(execFileSync('dpkg-deb', ['-f', newer, 'Installed-Size'], { encoding: 'utf8' }));
    expect(installed).toBeGreaterThan(100 * 1024);
    expect(installed).toBeLessThanOrEqual(160 * 1024);
  });

  it('has a man page without warnings, completions, and every setting as a comment', () => {
    const page = execFileSync('zcat', [join(unpacked, 'usr/share/man/man1/wcc.1.gz')], { encoding: 'utf8' });
    for (const text of ['wcc image copy <image> <name>', 'WCC_DATA_DIR', 'wcc serve'])
      expect(page.replaceAll('\\-', '-')).toContain(text);
    for (const shell of ['bash', 'sh'])
      execFileSync(shell, [
        '-n',
        join(unpacked, `usr/${shell === 'bash' ? 'share/bash-completion/completions/wcc' : 'bin/wcc'}`),
      ]);
    const settings = readFileSync(join(unpacked, 'etc/wcc/wcc.env'), 'utf8');
    expect(settings).toContain('#WCC_PORT=8400');
    expect(settings.match(/^WCC_.*/gm)).toEqual(['WCC_DATA_DIR=/var/lib/wcc']);
  });

  it('is the same file when it is built again with another umask', { timeout: 120_000 }, async () => {
    const again = await buildDeb(join(workspace.path, 'again'), versions.current, '027');
    expect(await sha256(again)).toBe(await sha256(newer));
  });
});
