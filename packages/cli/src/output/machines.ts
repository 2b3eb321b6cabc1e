import type { Vm, VmAutostart, VmDifference, VmState } from '@wcc/api';
import { formatBytes } from '@wcc/progress';
import { facts, table } from './human.ts';

/** The same words as in the console. */
const stateTexts: Readonly<Record<VmState, string>> = {
  making: 'being worked on',
  running: 'running',
  shut_off: 'off',
  paused: 'paused',
  suspended: 'asleep',
  saved: 'saved',
  crashed: 'crashed',
  unknown: 'not known',
};

/** The state of a machine in words. */
export function vmStateText({ state }: Vm): string {
  return stateTexts[state];
}

/** Whether a machine in this state has a process and a screen. */
export function isOn({ state }: Vm): boolean {
  return state === 'running' || state === 'paused' || state === 'suspended';
}

/** The list of `wcc vm ls`. */
export function vmTable(machines: readonly Vm[]): string {
  if (machines.length === 0) return 'No machines.\n';
  return table(
    ['ID', 'NAME', 'STATE', 'CPUS', 'MEMORY', 'DISKS', 'OWNER'],
    machines.map((machine) => [
      machine.id === null ? '–' : String(machine.id),
      machine.name,
      vmStateText(machine),
      String(machine.cpus),
      formatBytes(machine.memoryBytes),
      formatBytes(machine.disks.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)),
      machine.foreign ? 'another program' : (machine.ownerName ?? '–'),
    ]),
  );
}

/** The details of `wcc vm show`. */
export function vmFacts(machine: Vm): string {
  const { stateReason, network, cdrom } = machine;
  return facts([
    ['id', machine.id === null ? null : String(machine.id)],
    ['name', machine.name],
    ['state', vmStateText(machine)],
    ['reason', stateReason?.message ?? null],
    ['hint', stateReason?.hint ?? null],
    ...machine.changedOutside.map((difference): [string, string] => [
      'changed outside',
      differenceText(difference),
    ]),
    ['to adopt it', machine.may.adopt ? `wcc vm adopt ${machine.id ?? ''}` : null],
    ['operation', machine.operation],
    ['cpus', String(machine.cpus)],
    ['memory', formatBytes(machine.memoryBytes)],
    ...machine.disks.map((disk): [string, string] => [`disk ${disk.index}`, diskText(disk)]),
    ['cd drive', cdrom === null ? null : `${cdrom.name} (image ${cdrom.image})`],
    ['cd bus', machine.cdBus],
    ['network', network.name === null ? network.kind : `${network.kind} ${network.name}`],
    ['mac address', machine.macAddress],
    ['firmware', machine.foreign ? null : machine.firmware],
    ['boot order', machine.bootOrder.join(', ')],
    ['autostart', machine.autostart === null ? null : autostartText(machine.autostart)],
    ['uuid', machine.uuid],
    ['owner', machine.foreign ? 'another program' : machine.ownerName],
    ['created', machine.createdAt],
  ]);
}

function autostartText({ enabled, order, delaySeconds }: VmAutostart): string {
  return enabled ? `on, order ${order}, delay ${delaySeconds} s` : 'off';
}

function differenceText({ setting, wcc, hypervisor }: VmDifference): string {
  const orNothing = (text: string): string => (text === '' ? 'nothing' : text);
  return `${setting}: ${orNothing(wcc)} in wcc, ${orNothing(hypervisor)} in the hypervisor`;
}

function diskText({ name, image, sizeBytes, format, base }: Vm['disks'][number]): string {
  const label = image === null ? name : `${name} (image ${image})`;
  const size = [formatBytes(sizeBytes), format].filter((part) => part !== null).join(' ');
  return `${label}, ${size}${base === null ? '' : `, thin on image ${base}`}`;
}
