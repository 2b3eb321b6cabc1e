import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { seedFiles } from './cloud-config.ts';
import { writeVolume } from './iso9660.ts';
import { createSeeds } from './seeds.ts';

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

  it("carries the user's own text unchanged as a second part", () => {
    const userData = `#!/bin/sh\necho '${hostile}'\n--wcc-boundary--\n`;
    const parts = contents('user-data', { userData }).split(/^--wcc-[0-9a-f]{64}(?:--)?$/m);
    expect(parts).toHaveLength(4);
    const [, ours, theirs] = parts.map((part) =>
      Buffer.from(part.split('\n\n')[1] ?? '', 'base64').toString(),
    );
    expect(ours).toMatch(/^#cloud-config\n/);
    expect(theirs).toBe(userData);
  });
});

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
