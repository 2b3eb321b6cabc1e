import { expect, it } from 'vitest';
import { HypervisorError } from '../hypervisor/hypervisor-error.ts';
import type { SettingDifference } from '../hypervisor/setting-difference.ts';
import { mapHypervisorErrors } from './hypervisor-errors.ts';

const fails = (error: HypervisorError): Promise<void> =>
  mapHypervisorErrors(async () => {
    throw error;
  });

it('V10a: the message of a failed start contains every line of the reason', async () => {
  const detail =
    "Failed to start domain 'mov'\nCannot access storage file '/pool/mov-disk0.qcow2': No such file or directory";
  await expect(fails(new HypervisorError('start_failed', { detail }))).rejects.toMatchObject({
    code: 'hypervisor_failed',
    message:
      "The machine did not start. Failed to start domain 'mov' " +
      "Cannot access storage file '/pool/mov-disk0.qcow2': No such file or directory",
  });
});

it.each<[SettingDifference, string]>([
  [{ setting: 'cpus', written: '1', found: '2', adopt: { cpus: 2 } }, 'wcc vm adopt'],
  [{ setting: 'disks', written: 'vda /a (qcow2)', found: 'vda /a.s1 (qcow2)', adopt: null }, 'blockcommit'],
  [{ setting: 'network', written: 'user', found: '', adopt: null }, 'network'],
])('V2: names the changed setting %j and the way out', async (difference, hint) => {
  const error = new HypervisorError('changed_outside', { differences: [difference] });
  await expect(fails(error)).rejects.toMatchObject({
    code: 'vm_changed_outside',
    message: expect.stringContaining(`${difference.setting}: ${difference.written} in wcc`) as string,
    hint: expect.stringContaining(hint) as string,
  });
});
