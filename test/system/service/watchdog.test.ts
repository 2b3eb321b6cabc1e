import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { isSkipped } from '../../../packages/copy/src/testkit/skip.testkit.ts';
import { until } from '../../kit/poll.ts';
import { isLongRun } from '../../kit/share.ts';
import type { BootedSystem } from '../../kit/systemd/boot.ts';
import { repositoryInTree, whyNoBoot } from '../../kit/systemd/boot.ts';
import { adminToken, bootService, property, wccInside } from '../../kit/systemd/service.ts';

const worker = 'packages/server/bundle/storage/worker.js';
const bundled = readFileSync(fileURLToPath(new URL(`../../../${worker}`, import.meta.url)), 'utf8');
/** The database thread of the package, which hangs as soon as a file exists. */
const hangingWorker = `${bundled}
import { existsSync as exists } from 'node:fs';
setInterval(() => exists('/run/hang') && Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0), 20);
`;
const watchdogS = 3;
const dropIn = `[Service]\nWatchdogSec=${watchdogS}s\n`;

/** Writes rows, until the server refuses them. */
const addUsers = `
import json, sys, urllib.error, urllib.request, uuid
for _ in range(5):
    user = {'name': 'u' + uuid.uuid4().hex[:10], 'role': 'viewer', 'password': 'correct horse battery staple'}
    request = urllib.request.Request('http://127.0.0.1:8400/api/users', json.dumps(user).encode(),
        {'content-type': 'application/json', 'authorization': 'Bearer ' + sys.argv[1]})
    try: urllib.request.urlopen(request, timeout=10)
    except urllib.error.HTTPError: pass
`;

describe('the watchdog of the service, in a booted systemd', () => {
  if (isSkipped(whyNoBoot() ?? (isLongRun ? null : 'left to npm run test:service'))) return;
  let system: BootedSystem;
  afterEach(() => system?.close());

  const show = (name: string): Promise<string> => property(system, 'wcc.service', name);
  /** Waits. @returns true if the service is the same process as before */
  const stays = async (forMs: number): Promise<boolean> => {
    const [process, since] = [await show('MainPID'), performance.now()];
    await until(() => performance.now() - since > forMs, { what: 'the time of several watchdogs' });
    return (await show('NRestarts')) === '0' && (await show('MainPID')) === process;
  };

  it('a hanging database thread is ended and started again', async () => {
    system = await bootService({ dropIn, files: { [`${repositoryInTree}/${worker}`]: hangingWorker } });
    expect(await stays(3 * watchdogS * 1000)).toBe(true);
    const process = await show('MainPID');
    await system.run('touch', '/run/hang');
    await until(async () => (await show('NRestarts')) !== '0', { what: 'the watchdog fires' });
    await system.run('rm', '/run/hang');
    await until(async () => (await show('ActiveState')) === 'active', { what: 'the service is back' });
    expect(await show('MainPID')).not.toBe(process);
    expect(await system.run('journalctl', '-o', 'cat', '_PID=1')).toContain(
      "wcc.service: Failed with result 'watchdog'",
    );
    expect(await wccInside(system, 'image', 'ls')).toBeTruthy();
  });

  it('the watchdog does not fire under load', async () => {
    system = await bootService({ dropIn });
    const burn = 'for i in 1 2 3 4 5 6; do timeout 12 sh -c "while :; do :; done" & done; wait';
    const ask = `for i in $(seq 40); do timeout 5 wcc image ls >/dev/null 2>&1; done`;
    const load = [system.attempt('sh', '-c', burn), system.attempt('timeout', '12', 'sh', '-c', ask)];
    expect(await stays(4 * watchdogS * 1000)).toBe(true);
    await Promise.all(load);
  });

  it('the watchdog does not fire while the disk of the database is full', async () => {
    const mount =
      '[Unit]\nBefore=wcc.service\n[Mount]\nWhat=data\nWhere=/var/lib/wcc\nType=tmpfs\nOptions=size=96m,mode=700\n';
    system = await bootService({ dropIn, files: { '/etc/systemd/system/var-lib-wcc.mount': mount } });
    expect(await system.run('findmnt', '-n', '-o', 'FSTYPE', '/var/lib/wcc')).toBe('tmpfs\n');
    // The database first takes its reserve, so the rest of the disk is filled again.
    await until(
      async () => {
        await system.attempt('sh', '-c', 'cat /dev/zero >> /var/lib/wcc/fill');
        await system.attempt('python3', '-c', addUsers, adminToken);
        return (await show('StatusText')).includes('the disk of the database is full');
      },
      { what: 'the database cannot write', timeoutMs: 120_000 },
    );
    expect(await stays(4 * watchdogS * 1000)).toBe(true);
  });
});
