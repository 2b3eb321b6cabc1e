import { execFile } from 'node:child_process';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import LibsqlDatabase from 'libsql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bootSectorTexts, makeBootSector } from '../../../packages/server/src/images/sample/boot-sector.ts';
import { runCli } from '../../kit/cli.ts';
import { MiB } from '../../kit/images.ts';
import { driverSkipReason, startMachineHost } from '../../kit/machine-host.ts';
import type { Driver, MachineHost } from '../../kit/machine-host.ts';
import { registerImage, waitForState } from '../../kit/operations.ts';
import { until } from '../../kit/poll.ts';

const binPath = fileURLToPath(new URL('../../../packages/cli/bin/wcc.js', import.meta.url));

describe.each<Driver>(['qemu', 'libvirt'])('with %s', (driver) => {
  const refusal = driverSkipReason(driver);
  if (refusal !== null) console.log(`skipped: ${refusal}`);
  describe.skipIf(refusal !== null)('autostart', () => {
    describeAutostart(driver);
  });
});

function describeAutostart(driver: Driver): void {
  let host: MachineHost;
  const ids = new Map<string, number>();

  beforeAll(async () => {
    host = await startMachineHost(driver);
    const { server } = host;
    writeFileSync(
      join(server.poolDir, 'guest.raw'),
      Buffer.concat([makeBootSector(), Buffer.alloc(MiB - 512)]),
    );
    const { id: image } = await registerImage(server, 'guest.raw');
    for (const name of ['second', 'first']) {
      const order = { name, image, cpus: 1, memoryBytes: 16 * MiB };
      const { operation } = await server.api.quickCreateVm(order);
      const { result } = await waitForState(server, operation.id, { states: ['succeeded'] });
      ids.set(name, Number(result?.id));
    }
  });
  afterAll(() => host.close());

  async function set(name: string, order: number): Promise<void> {
    const args = ['vm', 'set', name, '--autostart', 'on', '--autostart-order', String(order)];
    const { code, stdout } = await runCli(args, { server: host.server });
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(new RegExp(`autostart: +on, order ${order}, delay 0 s`)),
    ]);
  }

  /** Waits until the guests see their power button. @param boots how often each has booted */
  async function waitForGuests(boots: number): Promise<void> {
    const { baseUrl, token } = host.server;
    const headers = { authorization: `Bearer ${token}` };
    const readyCount = async (name: string): Promise<number> => {
      const log = await (await fetch(`${baseUrl}/api/vms/${ids.get(name)}/serial`, { headers })).text();
      return log.split(bootSectorTexts.ready).length - 1;
    };
    const isReady = async (): Promise<boolean> =>
      (await readyCount('first')) >= boots && (await readyCount('second')) >= boots;
    await until(isReady, { what: 'the guests to boot', timeoutMs: 60_000 });
  }

  /** As the service manager runs it: as the user of the server, with its session. */
  async function stopGuests(): Promise<unknown> {
    const { uid, gid } = statSync(host.server.dataDir);
    const args = ['guests', 'stop', '--data-dir', host.server.dataDir, '--hypervisor', driver];
    const env = { PATH: '/usr/bin:/bin', HOME: host.home, XDG_RUNTIME_DIR: join(host.home, 'run') };
    const options = { env, uid, gid, cwd: '/' };
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [binPath, ...args, '--timeout', '60s', '--json'],
      options,
    );
    return JSON.parse(stdout);
  }

  /** A boot of this host, as wcc sees it: the stored boot is another one, and no machine runs. */
  function pretendBoot(): void {
    const database = new LibsqlDatabase(join(host.server.dataDir, 'wcc.sqlite'));
    const { changes } = database
      .prepare(`update settings set value = '00000000-0000-4000-8000-000000000000 1' where key = 'boot'`)
      .run();
    database.close();
    expect(changes).toBe(1);
  }

  const shutDown = (name: string): object => ({ name, result: 'shut_down', reason: null });

  it('machines shut down in the reverse order, beside the server and without it, and come back after a boot', async () => {
    const { server } = host;
    await set('first', 1);
    await set('second', 2);
    await waitForGuests(1);
    expect(await stopGuests()).toMatchObject([shutDown('second'), shutDown('first')]);
    const states = (await server.api.vms()).items.map(({ state }) => state);
    expect(new Set(states)).toEqual(new Set(['shut_off']));
    await server.stop();
    pretendBoot();
    await server.start();
    await waitForGuests(2);
    const { items } = await server.api.operations({ action: 'start_vm', state: 'succeeded' });
    const started = items.toSorted((a, b) => (a.endedAt ?? '').localeCompare(b.endedAt ?? ''));
    expect(started.map(({ subject }) => subject.name)).toEqual(['first', 'second']);
    // The other driver works without the server in any case, because libvirt answers any number of programs.
    if (driver === 'libvirt') return;
    await server.stop();
    expect(await stopGuests()).toMatchObject([shutDown('second'), shutDown('first')]);
    await server.start();
  });
}
