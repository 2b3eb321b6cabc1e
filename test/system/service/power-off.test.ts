import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isSkipped } from '../../../packages/copy/src/testkit/skip.testkit.ts';
import { isLongRun } from '../../kit/share.ts';
import type { BootedSystem } from '../../kit/systemd/boot.ts';
import { whyNoBoot } from '../../kit/systemd/boot.ts';
import { bootService, property, serviceFiles } from '../../kit/systemd/service.ts';

/** `wcc guests stop` of this test notes what it finds, so that the order of the units is seen. */
const wcc = (serviceFiles()['/usr/bin/wcc'] ?? '').replace(
  '#!/bin/sh\n',
  `#!/bin/sh
if [ "$1" = guests ]; then
  { echo "$*"; id -un; pgrep -fc 'main.js serve'; } >>/var/lib/wcc/guests-stop
  exit 0
fi
`,
);

describe('a power-off of the host, in a booted systemd', () => {
  if (isSkipped(whyNoBoot() ?? (isLongRun ? null : 'left to npm run test:service'))) return;
  let system: BootedSystem;
  beforeAll(async () => {
    system = await bootService({ files: { '/usr/bin/wcc': wcc } });
  });
  afterAll(() => system?.close());

  it('a restart or a stop of wcc stops no machine', async () => {
    await system.run('systemctl', 'restart', 'wcc.service');
    await system.run('systemctl', 'stop', 'wcc.service');
    expect(await property(system, 'wcc.service', 'Result')).toBe('success');
    expect(await property(system, 'wcc-guests.service', 'ActiveState')).toBe('active');
    await system.run('systemctl', 'start', 'wcc.service');
    expect((await system.attempt('cat', '/var/lib/wcc/guests-stop')).code).not.toBe(0);
  });

  it('a power-off shuts down machines while wcc still runs, and wcc is back after the next boot', async () => {
    await system.attempt('systemctl', 'poweroff');
    await system.ended;
    await system.boot();
    expect(readFileSync(system.path('/var/lib/wcc/guests-stop'), 'utf8')).toBe('guests stop\nwcc\n1\n');
    expect(await property(system, 'wcc.service', 'ActiveState')).toBe('active');
    expect(await property(system, 'wcc.service', 'NRestarts')).toBe('0');
  });
});
