import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FirstBootRequest } from '@wcc/api';
import { createFirstBootProfiles } from '../../../packages/server/src/access/first-boot-profiles.ts';
import {
  admin,
  MiB,
  startMachines,
  writeBootable,
} from '../../../packages/server/src/machines/machines.testkit.ts';
import type { MachinesUnderTest } from '../../../packages/server/src/machines/machines.testkit.ts';
import { startDebian } from '../../kit/debian/guest.ts';
import type { DebianGuest } from '../../kit/debian/guest.ts';
import { debianSkipReason, prepareDebian } from '../../kit/debian/rootfs.ts';

/**
 * cloud-init of Debian in a chroot, with the seeds that wcc writes for quick-create, create and copy.
 * `npm run test:cloud-init` runs this; the first time it downloads Debian.
 */
const refusal = debianSkipReason();
if (refusal !== null) console.log(`skipped: ${refusal}`);

const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee me@home';
const users =
  '#cloud-config\nusers: [default, {name: svc}]\nssh_pwauth: true\nruncmd: [[sh, -c, "echo ran >>/root/ran"]]\n';
const script = '#!/bin/sh\necho ran >>/root/ran\n';
const document = [
  'Content-Type: multipart/mixed; boundary="terraform"',
  'MIME-Version: 1.0',
  '',
  '--terraform',
  'Content-Type: text/cloud-config',
  'MIME-Version: 1.0',
  '',
  '#cloud-config',
  'users: [default, {name: svc}]',
  '--terraform',
  'Content-Type: text/x-shellscript',
  'MIME-Version: 1.0',
  '',
  script,
  '--terraform--',
  '',
].join('\r\n');
const archive = `#cloud-config-archive\n- type: text/cloud-config\n  content: |\n    users: [default, {name: svc}]\n- |\n  ${script.replaceAll('\n', '\n  ')}\n`;

/** User-data, whether it makes the user `svc`, and whether it runs a command. */
const kinds: Readonly<Record<string, { userData?: string; hasUsers: boolean; runs: boolean }>> = {
  none: { hasUsers: false, runs: false },
  'cloud-config': { userData: users, hasUsers: true, runs: true },
  script: { userData: script, hasUsers: false, runs: true },
  MIME: { userData: document, hasUsers: true, runs: true },
  gzip: { userData: gzipSync(document).toString('base64'), hasUsers: true, runs: true },
  archive: { userData: archive, hasUsers: true, runs: true },
};

describe.skipIf(refusal !== null)('cloud-init of Debian', () => {
  let vms: MachinesUnderTest;
  let home: string;
  let rootfs: string;
  let image: number;
  const guests: DebianGuest[] = [];

  beforeAll(async () => {
    ({ rootfs } = prepareDebian());
    home = mkdtempSync(join(tmpdir(), 'wcc-cloud-init-'));
    vms = await startMachines({ home });
    await writeBootable(join(vms.poolDir, 'template.raw'));
    await vms.rescan();
    image = (await vms.image('template.raw')).id;
  }, 1_800_000);
  afterAll(async () => {
    for (const guest of guests.toReversed()) guest.close();
    await vms.close();
    rmSync(home, { recursive: true, force: true });
  });

  async function seedOf(name: string): Promise<{ seed: string; uuid: string }> {
    const { uuid } = await vms.vm(name);
    return { seed: (await vms.hypervisor.spec(uuid))?.seed ?? '', uuid };
  }

  async function boot(guest: DebianGuest, name: string): Promise<string> {
    guests.push(guest);
    const { seed, uuid } = await seedOf(name);
    guest.boot(seed);
    expect(guest.read('/run/cloud-init/instance-data.json')).toContain(uuid);
    expect(guest.read('/var/lib/cloud/data/instance-id').trim()).toBe(uuid);
    return uuid;
  }

  async function createVm(name: string, firstBoot: FirstBootRequest): Promise<void> {
    await vms.create({ name, disks: [{ kind: 'copy', image }], firstBoot });
  }

  const hostKey = (guest: DebianGuest): string => guest.read('/etc/ssh/ssh_host_ed25519_key.pub');
  const accounts = (guest: DebianGuest): string[] =>
    guest
      .read('/etc/passwd')
      .split('\n')
      .map((line) => line.split(':')[0] ?? '');

  it.each(Object.keys(kinds))('V7, V9, V10e: create with user-data %s, then a copy', async (kind) => {
    const { userData, hasUsers, runs } = kinds[kind]!;
    const name = `${kind}_1`;
    await createVm(name, { user: 'me', sshKeys: [key], ...(userData === undefined ? {} : { userData }) });
    const guest = startDebian([rootfs]);
    await boot(guest, name);
    expect(guest.read('/etc/hostname').trim()).toBe(`${kind}-1`);
    expect(accounts(guest)).toEqual(expect.arrayContaining(['me', ...(hasUsers ? ['debian', 'svc'] : [])]));
    expect(guest.read('/home/me/.ssh/authorized_keys')).toContain(key);
    expect(guest.read('/root/ran')).toBe(runs ? 'ran\n' : '');
    const sshd = guest.run('sh', '-c', 'cat /etc/ssh/sshd_config /etc/ssh/sshd_config.d/* 2>/dev/null || :');
    expect(/^PasswordAuthentication yes/m.test(sshd)).toBe(kind === 'cloud-config');
    expect(hostKey(guest)).toMatch(/^ssh-ed25519 /);

    guest.run('sh', '-c', 'echo "me:secret" | chpasswd && echo "# mine" >>/etc/apt/sources.list');
    const before = {
      key: hostKey(guest),
      id: guest.read('/etc/machine-id'),
      shadow: guest.read('/etc/shadow'),
    };
    const id = (await vms.vm(name)).id ?? 0;
    const request = { principal: admin, id, body: { name: `${kind}_copy` }, idempotencyKey: null };
    await vms.wait((await vms.machines.copy(request)).id, 'succeeded');
    const twin = guest.copy();
    await boot(twin, `${kind}_copy`);
    expect(twin.read('/etc/hostname').trim()).toBe(`${kind}-copy`);
    expect(hostKey(twin)).toMatch(/^ssh-ed25519 /);
    expect(hostKey(twin)).not.toBe(before.key);
    expect(twin.read('/etc/machine-id')).toMatch(/^[0-9a-f]{32}\n$/);
    expect(twin.read('/etc/machine-id')).not.toBe(before.id);
    expect(twin.read('/etc/shadow')).toBe(before.shadow);
    expect(twin.read('/home/me/.ssh/authorized_keys')).toContain(key);
    expect(twin.read('/root/ran')).toBe(runs ? 'ran\n' : '');
    expect(twin.read('/etc/apt/sources.list')).toContain('# mine');
    // A second boot of the same instance changes nothing more.
    const own = { key: hostKey(twin), id: twin.read('/etc/machine-id') };
    twin.boot((await seedOf(`${kind}_copy`)).seed);
    expect({ key: hostKey(twin), id: twin.read('/etc/machine-id') }).toEqual(own);
  });

  it('V7: keys without a user reach the default user, also where the user-data names other users', async () => {
    const userData = '#cloud-config\nusers: [{name: svc}]\n';
    await createVm('keys', { sshKeys: [key], passwordHash: '$6$salt$hash', userData });
    const guest = startDebian([rootfs]);
    await boot(guest, 'keys');
    expect(accounts(guest)).toEqual(expect.arrayContaining(['debian', 'svc']));
    expect(guest.read('/home/debian/.ssh/authorized_keys')).toContain(key);
    expect(guest.read('/etc/shadow')).toContain('debian:$6$salt$hash:');
  });

  it('V7: host name and FQDN of the user-data apply', async () => {
    await createVm('named', { userData: '#cloud-config\nfqdn: db.example.org\n' });
    const guest = startDebian([rootfs]);
    await boot(guest, 'named');
    expect(guest.read('/etc/hostname').trim()).toBe('db');
  });

  it('V9: quick-create from a disk that was another machine gets a new identity', async () => {
    const profile = { user: 'me', sshKeys: [key] };
    await createFirstBootProfiles(vms.store).change(admin, profile);
    const quick = { image, start: false, memoryBytes: 32 * MiB };
    await vms.quickCreate({ ...quick, name: '10.0.0.7' });
    await vms.quickCreate({ ...quick, name: 'web-01.' });
    const first = startDebian([rootfs]);
    await boot(first, '10.0.0.7');
    expect(first.read('/etc/hostname').trim()).toBe('10-0-0-7');
    const second = first.copy();
    await boot(second, 'web-01.');
    expect(second.read('/etc/hostname').trim()).toBe('web-01');
    expect(second.read('/home/me/.ssh/authorized_keys')).toContain(key);
    expect(hostKey(second)).not.toBe(hostKey(first));
    expect(second.read('/etc/machine-id')).not.toBe(first.read('/etc/machine-id'));
  });
});
