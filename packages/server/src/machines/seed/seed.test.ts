import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { seedFiles } from './cloud-config.ts';
import { writeVolume } from './iso9660.ts';
import { createSeeds } from './seeds.ts';
import { assertUserData } from './user-data.ts';

const home = mkdtempSync(join(tmpdir(), 'wcc-seed-'));
afterAll(() => rmSync(home, { recursive: true }));

const hostile = '": {[\n- !!python/object *x &y %TAG # \u2028\u0085 \'"\\ <&]]> ${x} `id` \ud83d\ude00';
const instanceId = '2f1c0c1e-0000-4000-8000-000000000001';

function contents(name: string, changes: Partial<Parameters<typeof seedFiles>[0]['firstBoot']> = {}): string {
  const firstBoot = { sshKeys: [], ...changes };
  const files = seedFiles({ instanceId, hostname: 'web', firstBoot });
  return files.find((file) => file.name === name)?.content.toString() ?? '';
}

describe('NoCloud seed', () => {
  it('contains hostile values unchanged and never as syntax', () => {
    const user = 'me';
    const text = contents('user-data', { user, sshKeys: [hostile], passwordHash: '$6$a$b' });
    expect(text.startsWith('#cloud-config\n')).toBe(true);
    const body = text.slice(text.indexOf('\n') + 1);
    // Contains only characters that every YAML parser reads the same way.
    expect(body.trimEnd()).toMatch(/^[\x20-\x7e]+$/);
    expect(JSON.parse(body)).toMatchObject({
      users: [{ name: user, ssh_authorized_keys: [hostile], hashed_passwd: '$6$a$b', lock_passwd: false }],
    });
    expect(JSON.parse(contents('meta-data'))).toEqual({
      'instance-id': instanceId,
      'local-hostname': 'web',
    });
  });

  it("changes only the image's default user when no user is named", () => {
    const parsed = JSON.parse(
      contents('user-data', { passwordHash: '$6$a$b' }).split('\n')[1] ?? '',
    ) as object;
    expect(parsed).toMatchObject({ user: { hashed_passwd: '$6$a$b', lock_passwd: false } });
    expect(parsed).not.toHaveProperty('users');
  });

  it("carries the user's own text unchanged as a first part", () => {
    const userData = `#!/bin/sh\necho '${hostile}'\n--wcc-boundary--\n`;
    const [theirs, ours] = partsOf(contents('user-data', { userData }));
    expect(theirs?.text).toBe(userData);
    expect(ours?.text).toMatch(/^#cloud-config\n/);
  });

  it('V7: merges our user into the lists of the user-data, and replaces none of its values', () => {
    const userData = '#cloud-config\nusers: [default, {name: svc}]\n';
    const [theirs, ours] = partsOf(contents('user-data', { user: 'me', sshKeys: ['ssh-rsa K'], userData }));
    expect(theirs?.text).toBe(userData);
    expect(theirs?.head).not.toContain('X-Merge-Type');
    expect(ours?.head).toContain('Content-Type: text/cloud-config');
    expect(ours?.head).toContain('X-Merge-Type: list(append)+dict(no_replace,recurse_list)+str()\n');
    // A `hostname` of ours would replace the first label of an `fqdn` in the user-data.
    expect(ours?.text).not.toContain('hostname');
  });

  it('V7: a MIME document becomes a nested part, unchanged', () => {
    const head = 'Content-Type: multipart/mixed; boundary="b"\nMIME-Version: 1.0\n\n';
    const userData = `${head}--b\nContent-Type: text/x-shellscript\n\n#!/bin/sh\n\n--b--\n`;
    const text = contents('user-data', { user: 'me', userData: `From mailer Mon Jan  1\n${userData}` });
    const boundary = /boundary="(wcc-[0-9a-f]{64})"/.exec(text)?.[1] ?? '';
    expect(text.split(`--${boundary}`)[1]).toBe(`\n${userData}\n`);
  });

  it('V7: compressed user-data is decompressed, and a byte order mark is left out', () => {
    const userData = '#!/bin/sh\necho 漢\n';
    const gzip = gzipSync(userData).toString('base64');
    for (const given of [gzip, `\ufeff${userData}`, gzipSync(`\ufeff${userData}`).toString('base64')])
      expect(partsOf(contents('user-data', { userData: given }))[0]?.text).toBe(userData);
    expect(contents('user-data', { userData: ' \n' })).toBe(contents('user-data'));
  });

  it('V9: the seed of a copy has a new identity and changes no user', () => {
    const files = seedFiles({ instanceId, hostname: 'twin', firstBoot: { sshKeys: [] }, isCopy: true });
    const [meta, user] = files.map(({ content }) => content.toString());
    expect(JSON.parse(meta ?? '')).toEqual({ 'instance-id': instanceId, 'local-hostname': 'twin' });
    expect(JSON.parse((user ?? '').split('\n')[1] ?? '')).toMatchObject({
      users: [],
      ssh_deletekeys: true,
      bootcmd: [['sh', '-c', expect.stringContaining('systemd-machine-id-setup') as string]],
    });
    // cloud-init renames marks with a hyphen at the next boot, and the machine-id would change at every boot.
    expect(/instance\/sem\/(\S+)/.exec(user ?? '')?.[1]).toMatch(/^[a-z_]+\\n/);
  });
});

describe('V7: assertUserData', () => {
  const gzip = (text: string): string => gzipSync(text).toString('base64');

  it.each([
    ['no header', 'packages: [htop]', 'user_data_unknown'],
    ['Ignition', '{"ignition": {"version": "3.4.0"}}', 'user_data_ignition'],
    ['gzip without a header', gzip('packages: [htop]'), 'user_data_unknown'],
    ['gzip of Ignition', gzip('{"ignition": {}}'), 'user_data_ignition'],
    ['gzip of gzip', gzip(gzip('#!/bin/sh')), 'user_data_damaged'],
    ['damaged gzip', gzip('#!/bin/sh').slice(0, -8), 'user_data_damaged'],
    ['gzip of bytes', gzipSync(Buffer.from([0xff, 0xfe, 0])).toString('base64'), 'user_data_damaged'],
    ['a gzip bomb', gzip('#'.repeat(2 * 1024 ** 2)), 'user_data_damaged'],
  ])('refuses %s', (_what, text, code) => {
    expect(() => assertUserData(text)).toThrow(
      expect.objectContaining({ code, field: 'firstBoot.userData' }),
    );
  });

  it.each([undefined, '', '#cloud-config\n', gzip('#!/bin/sh\n'), '#include\nhttps://example.org\n'])(
    'accepts %j',
    (text) => {
      expect(() => assertUserData(text)).not.toThrow();
    },
  );
});

/** The outer parts of a MIME document of ours. */
function partsOf(document: string): { head: string; text: string }[] {
  const boundary = /boundary="([^"]+)"/.exec(document)?.[1] ?? '';
  const parts = document.split(`--${boundary}`).slice(1, -1);
  return parts.map((part) => {
    const [head = '', body = ''] = part.split('\n\n');
    return { head: `${head}\n`, text: Buffer.from(body, 'base64').toString() };
  });
}

const hasIsoinfo = spawnSync('isoinfo', ['--version']).status === 0;
if (!hasIsoinfo)
  console.log('Skipped the test that reads the seed: isoinfo is not installed (package genisoimage).');

describe('seed volume', () => {
  const path = join(home, 'seed.iso');
  const isoinfo = (...args: string[]): string => execFileSync('isoinfo', ['-i', path, ...args]).toString();

  it.skipIf(!hasIsoinfo)('isoinfo reads label, names and contents of the volume', () => {
    const big = Buffer.alloc(5000, 'x');
    const files = [
      { name: 'user-data', content: Buffer.from('users\n') },
      { name: 'meta-data', content: Buffer.from('meta\n') },
      { name: 'vendor-data', content: big },
    ];
    writeFileSync(path, writeVolume('cidata', files));
    expect(isoinfo('-d')).toMatch(/Volume id: cidata\n/);
    expect(isoinfo('-d')).toMatch(/Joliet with UCS level 3/);
    expect(isoinfo('-J', '-f').trim().split('\n').toSorted()).toEqual([
      '/meta-data',
      '/user-data',
      '/vendor-data',
    ]);
    expect(isoinfo('-J', '-x', '/user-data')).toBe('users\n');
    expect(isoinfo('-J', '-x', '/meta-data')).toBe('meta\n');
    expect(isoinfo('-J', '-x', '/vendor-data')).toBe(big.toString());
  });

  it('only the owner can read the seed, and remove deletes it', async () => {
    const seeds = createSeeds(home);
    const firstBoot = { sshKeys: [] };
    await seeds.write(instanceId, { instanceId, hostname: 'web', firstBoot });
    await seeds.write(instanceId, { instanceId, hostname: 'other', firstBoot });
    expect(statSync(seeds.pathOf(instanceId)).mode & 0o777).toBe(0o600);
    expect(statSync(join(home, 'seeds')).mode & 0o777).toBe(0o700);
    await seeds.remove(instanceId);
    await seeds.remove(instanceId);
    expect(() => statSync(seeds.pathOf(instanceId))).toThrow('ENOENT');
  });
});
