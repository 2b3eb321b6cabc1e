import type { Vm } from '@wcc/api';
import { isTerminal } from '@wcc/progress';
import type { Snapshot } from '@wcc/progress';
import type { OperationEntry } from '../operations/operation-entry.ts';
import { isOn } from './states.ts';

const creatingActions: readonly string[] = ['create_vm', 'quick_create_vm', 'copy_vm'];

/** Name of the machine that an operation creates; `null` when it creates none. */
export function createdVmName({ action, subject, target }: Snapshot): string | null {
  if (!creatingActions.includes(action)) return null;
  return target?.kind === 'vm' ? target.name : subject.name;
}

/**
 * Operations whose machine is not in the list: not loaded yet, or failed and not dismissed. The list already
 * contains machines whose creation is running.
 */
export function pendingVms(entries: readonly OperationEntry[], vms: readonly Vm[]): OperationEntry[] {
  const listed = new Set(vms.map(({ operation }) => operation));
  const names = new Set(vms.map(({ name }) => name));
  const retried = new Set(entries.map(({ snapshot }) => snapshot.retryOf));
  return entries.filter(({ snapshot, isHistory, isUnknown }) => {
    const name = createdVmName(snapshot);
    if (name === null || listed.has(snapshot.id) || retried.has(snapshot.id) || isHistory || isUnknown)
      return false;
    return snapshot.state === 'failed' || (!isTerminal(snapshot.state) && !names.has(name));
  });
}

/**
 * Machines with an operation first, then running ones, then the rest, each by name. Foreign machines come
 * last.
 */
export function sortVms(vms: readonly Vm[]): Vm[] {
  const weight = ({ foreign, state, operation }: Vm): number =>
    foreign ? 3 : operation !== null ? 0 : isOn(state) ? 1 : 2;
  return vms.toSorted((a, b) => weight(a) - weight(b) || a.name.localeCompare(b.name));
}
