import { expect, it } from 'vitest';
import { HypervisorError } from '../hypervisor/hypervisor-error.ts';
import type { SettingDifference } from '../hypervisor/setting-difference.ts';
import { mapHypervisorErrors, toVmFailure } from './hypervisor-errors.ts';
import { createPlaces } from './places.ts';

const pool = { name: 'images', path: '/srv/my pool' };
const places = createPlaces({ pools: { all: () => [pool] }, dataDir: '/var/lib/wcc' });

const fails = (error: HypervisorError): Promise<void> =>
  mapHypervisorErrors({ places }, async () => {
    throw error;
  });

it('V10a: the message of a failed start contains every line of the reason', async () => {
  const detail =
    "Failed to start domain 'mov'\nCannot access storage file '/srv/my pool/mov-disk0.qcow2': No such file or directory";
  await expect(fails(new HypervisorError('start_failed', { detail }))).rejects.toMatchObject({
    code: 'hypervisor_failed',
    message:
      "The machine did not start. Failed to start domain 'mov' " +
      "Cannot access storage file 'images/mov-disk0.qcow2': No such file or directory",
  });
});

it('SL11: the failure of an operation contains no path of the host, in its message and in its detail', () => {
  const detail = '-blockdev {"filename":"/srv/my pool/a.raw"}: Could not open \'/srv/my pool/a.raw\'';
  const { error } = toVmFailure({ places }, new HypervisorError('start_failed', { detail }));
  expect(JSON.stringify(error)).not.toContain('/srv');
  expect(error.detail).toBe('-blockdev {"filename":"images/a.raw"}: Could not open \'images/a.raw\'');
  expect(error.message).toContain('images/a.raw');
});

it.each<[SettingDifference, string]>([
  [{ setting: 'cpus', written: '1', found: '2', adopt: { cpus: 2 } }, 'wcc vm adopt'],
  [{ setting: 'disks', written: 'vda a (qcow2)', found: 'vda a.s1 (qcow2)', adopt: null }, 'blockcommit'],
  [{ setting: 'network', written: 'user', found: '', adopt: null }, 'network'],
])('V2: names the changed setting %j and the way out', async (difference, hint) => {
  const error = new HypervisorError('changed_outside', { differences: [difference] });
  await expect(fails(error)).rejects.toMatchObject({
    code: 'vm_changed_outside',
    message: expect.stringContaining(`${difference.setting}: ${difference.written} in wcc`) as string,
    hint: expect.stringContaining(hint) as string,
  });
});
