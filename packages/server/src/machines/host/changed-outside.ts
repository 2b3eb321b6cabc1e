import type { ApiError } from '@wcc/api';
import { LocatedError } from '../../access/located-error.ts';
import type { SettingDifference } from '../hypervisor.ts';
import type { HypervisorError } from '../hypervisor/hypervisor-error.ts';
import { describeDifferences } from '../hypervisor/setting-difference.ts';
import type { Places } from './places.ts';

/** The error that names each setting that another program changed, with the way out of this case. */
export function changedOutside(cause: HypervisorError, places: Places): ApiError {
  const { differences } = cause;
  const settings = describeDifferences(differences);
  const located = `Another program changed this machine in the hypervisor (${settings}).`;
  const message = places.hide(located);
  return new LocatedError('vm_changed_outside', { message, located, hint: hintOf(differences), cause });
}

function hintOf(differences: readonly SettingDifference[]): string {
  if (differences.some(({ setting }) => setting === 'disks'))
    return (
      'Undo the change of the disks in the hypervisor. Merge an external snapshot while the machine runs: ' +
      'virsh blockcommit <uuid> <disk> --active --pivot --delete.'
    );
  const fixed = differences.filter(({ adopt }) => adopt === null).map(({ setting }) => setting);
  if (fixed.length > 0) return `wcc cannot adopt this: ${fixed.join(', ')}. Undo it in the hypervisor.`;
  return 'Adopt the changes (wcc vm adopt), or undo them in the hypervisor.';
}
