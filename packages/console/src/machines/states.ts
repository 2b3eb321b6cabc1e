import type { VmState } from '@wcc/api';

/** Whether a machine in this state has a process, so that a deletion cuts its power. */
export function isOn(state: VmState): boolean {
  return state === 'running' || state === 'paused' || state === 'suspended';
}
