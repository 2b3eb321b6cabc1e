import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isSkipped } from '../../../packages/copy/src/testkit/skip.testkit.ts';
import { bootSectorMark, makeBootSector } from '../../../packages/server/src/images/sample/boot-sector.ts';
import { until } from '../../kit/poll.ts';
import type { BootedSystem } from '../../kit/systemd/boot.ts';
import { whyNoBoot } from '../../kit/systemd/boot.ts';
import { bootService, property, wccInside } from '../../kit/systemd/service.ts';

const MiB = 1024 ** 2;
/** A web server of another host, from which wcc imports. */
const fileServer = `[Service]
ExecStart=/usr/bin/python3 -m http.server --bind 127.0.0.1 --directory /var/tmp 8500
`;

describe('the service of the package, in a booted systemd', () => {
  if (isSkipped(whyNoBoot())) return;
  let system: BootedSystem;
  beforeAll(async () => {
    system = await bootService({ files: { '/etc/systemd/system/files.service': fileServer } });
    const disk = Buffer.concat([makeBootSector(), Buffer.alloc(MiB - 512)]);
    writeFileSync(system.path('/var/tmp/guest.raw'), disk);
  });
  afterAll(() => system?.close());

  const pid = (): Promise<string> => property(system, 'wcc.service', 'MainPID');
  const machines = async (): Promise<string[]> =>
    (await system.attempt('pgrep', '-x', 'qemu-system-x86')).output.trim().split('\n').filter(Boolean);
  const userOf = async (process: string): Promise<string> =>
    (await system.run('ps', '-o', 'user=', '-p', process)).trim();

  it('is active once it is ready, as a user of its own, and starts nothing that fails', async () => {
    expect(await property(system, 'wcc.service', 'ActiveState')).toBe('active');
    expect(await property(system, 'wcc.service', 'StatusText')).toBe(
      'Ready at http://127.0.0.1:8400; operations: 0 running, 0 waiting',
    );
    expect(await userOf(await pid())).toBe('wcc');
    expect(await system.run('systemctl', 'is-system-running')).toBe('running\n');
    expect(await property(system, 'wcc-guests.service', 'ActiveState')).toBe('active');
    const state = await system.run(
      'stat',
      '-c',
      '%a %U',
      '/var/lib/wcc',
      '/etc/wcc',
      '/var/lib/wcc/wcc.sqlite',
    );
    expect(state).toBe('700 wcc\n750 root\n600 wcc\n');
  });

  it('uploads, copies, imports and runs a machine under the hardening of the unit', async () => {
    await system.run('systemctl', 'start', 'files.service');
    await wccInside(system, 'image', 'upload', '/var/tmp/guest.raw');
    await wccInside(system, 'image', 'copy', 'guest.raw', 'copy.raw');
    await wccInside(system, 'image', 'import', 'http://127.0.0.1:8500/guest.raw', '--name', 'imported.raw');
    const images = ['guest', 'copy', 'imported'].map((name) => `/var/lib/wcc/images/${name}.raw`);
    const sums = (await system.run('sha256sum', '/var/tmp/guest.raw', ...images)).trim().split('\n');
    expect(new Set(sums.map((line) => line.split(' ')[0])).size).toBe(1);
    expect(sums).toHaveLength(4);
    const disk = ['--disk', 'image:guest.raw', '--memory', '64M', '--cpus', '1'];
    await wccInside(system, 'vm', 'create', 'one', ...disk);
    const [qemu = ''] = await machines();
    expect(await userOf(qemu)).toBe('wcc');
    // The guest writes its mark to its disk.
    await until(
      async () =>
        (await system.attempt('grep', '-c', bootSectorMark, '/var/lib/wcc/images/one-disk0.raw')).code === 0,
      { what: 'the guest has written to its disk' },
    );
  });

  it('a restart leaves the machine running, and knows it', async () => {
    const [before, process] = [await machines(), await pid()];
    expect(before).toHaveLength(1);
    await system.run('systemctl', 'restart', 'wcc.service');
    expect(await pid()).not.toBe(process);
    expect(await machines()).toEqual(before);
    expect(await wccInside(system, 'vm', 'show', 'one')).toMatchObject({ name: 'one', state: 'running' });
  });

  it('a reload keeps the process and is ready again', async () => {
    const process = await pid();
    await system.run('systemctl', 'reload', 'wcc.service');
    await until(
      async () =>
        (await system.run('journalctl', '-u', 'wcc.service', '-o', 'cat')).includes(
          'settings were read again',
        ),
      { what: 'the log of the reload' },
    );
    await until(async () => (await property(system, 'wcc.service', 'ActiveState')) === 'active', {
      what: 'the service is active after the reload',
    });
    expect(await pid()).toBe(process);
  });

  it('a killed server starts again by itself beside its machine', async () => {
    const [before, process] = [await machines(), await pid()];
    await system.run('systemctl', 'kill', '--signal=KILL', '--kill-who=main', 'wcc.service');
    await until(
      async () =>
        (await property(system, 'wcc.service', 'ActiveState')) === 'active' && (await pid()) !== process,
      { what: 'the service runs again' },
    );
    expect(await property(system, 'wcc.service', 'NRestarts')).toBe('1');
    expect(await machines()).toEqual(before);
    expect(await wccInside(system, 'vm', 'show', 'one')).toMatchObject({ state: 'running' });
  });
});
