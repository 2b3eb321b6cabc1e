import type { BootDevice, DiskSpec, MachineSpec } from '../machine-spec.ts';

/** Files of a machine, relative to its directory. QEMU runs there, so that socket addresses stay short. */
export const machineFiles = {
  monitor: 'qmp.sock',
  /** For a second process, because QEMU serves one connection per monitor. */
  secondMonitor: 'qmp2.sock',
  screen: 'vnc.sock',
  serial: 'serial.log',
  pid: 'qemu.pid',
  log: 'qemu.log',
  firmwareVariables: 'vars.fd',
} as const;

/** QEMU as this host runs it. */
export interface Emulator {
  /** Absolute path of `qemu-system-x86_64`. */
  readonly program: string;
  readonly acceleration: 'kvm' | 'tcg';
  /** Versioned, e.g. `pc-q35-7.2`: the guest's hardware stays the same after an upgrade of QEMU. */
  readonly machineType: string;
  /** Read-only UEFI firmware; null: not installed. */
  readonly uefiCode: string | null;
}

/**
 * The command line of a machine. Values are ids, numbers, enumerations and paths. Each path is a JSON string, where QEMU gives no
 * character a meaning. All default devices and configuration files of QEMU are off.
 */
export function buildArguments(spec: MachineSpec, host: Emulator): string[] {
  return [
    ['-nodefaults', '-no-user-config'],
    ['-name', `guest=${spec.name}`, '-uuid', spec.uuid],
    machineArguments(spec, host),
    [
      '-m',
      `${spec.memoryBytes / 1024 ** 2}`,
      '-smp',
      `${spec.cpus}`,
      '-rtc',
      'base=utc',
      '-boot',
      'strict=on',
    ],
    sandbox(spec),
    [
      '-pidfile',
      machineFiles.pid,
      '-display',
      'none',
      '-vnc',
      `unix:${machineFiles.screen},share=force-shared`,
    ],
    ['-chardev', `socket,id=monitor,path=${machineFiles.monitor},server=on,wait=off`],
    ['-mon', 'chardev=monitor,mode=control'],
    ['-chardev', `socket,id=second,path=${machineFiles.secondMonitor},server=on,wait=off`],
    ['-mon', 'chardev=second,mode=control'],
    [
      '-chardev',
      `file,id=serial0,path=${machineFiles.serial},append=on`,
      '-device',
      'isa-serial,chardev=serial0',
    ],
    ['-device', 'VGA', '-device', 'qemu-xhci,id=usb', '-device', 'usb-tablet,bus=usb.0'],
    ['-device', 'virtio-rng-pci'],
    // The guest reports a panic to this device. Its machine and its screen stay, so that people see why.
    ['-device', 'pvpanic', '-action', 'panic=pause'],
    spec.disks.flatMap((disk, index) => diskArguments(disk, { index, boot: bootIndex(spec, 'disk') })),
    networkArguments(spec),
    cdDrives(spec),
  ].flat();
}

function machineArguments(spec: MachineSpec, host: Emulator): string[] {
  const isUefi = spec.firmware === 'uefi' && host.uefiCode !== null;
  const flash = isUefi ? ',pflash0=firmware-code,pflash1=firmware-variables' : '';
  const machine = `${host.machineType},accel=${host.acceleration},dump-guest-core=off${flash}`;
  const cpu = host.acceleration === 'kvm' ? 'host' : 'max';
  return [...(isUefi ? firmwareArguments(host.uefiCode) : []), '-machine', machine, '-cpu', cpu];
}

function firmwareArguments(code: string): string[] {
  const variables = machineFiles.firmwareVariables;
  return [
    ...blockdev({ ...rawFile(code), 'node-name': 'firmware-code', 'read-only': true }),
    ...blockdev({ ...rawFile(variables), 'node-name': 'firmware-variables' }),
  ];
}

/** A bridge needs QEMU's setuid helper. With any other network QEMU may neither start programs nor change its user. */
function sandbox({ network }: MachineSpec): string[] {
  const helper = network.kind === 'bridge' ? 'allow' : 'deny';
  return ['-sandbox', `on,obsolete=deny,elevateprivileges=${helper},spawn=${helper},resourcecontrol=deny`];
}

function bootIndex(spec: MachineSpec, device: BootDevice): number | null {
  const at = spec.bootOrder.indexOf(device);
  return at === -1 ? null : at;
}

const bootAt = (index: number | null): string => (index === null ? '' : `,bootindex=${index}`);
const blockdev = (node: object): string[] => ['-blockdev', JSON.stringify(node)];
const rawFile = (filename: string): object => ({ driver: 'raw', file: { driver: 'file', filename } });

export const diskNode = (index: number): string => `disk${index}`;

function diskArguments(disk: DiskSpec, { index, boot }: { index: number; boot: number | null }): string[] {
  const node = { ...diskLayers(disk), 'node-name': diskNode(index), discard: 'unmap' };
  const device = `virtio-blk-pci,id=disk${index}-device,drive=${diskNode(index)}`;
  // QEMU allows each boot index once.
  return [...blockdev(node), '-device', device + bootAt(index === 0 ? boot : null)];
}

/** The file and its whole backing chain, so that QEMU reads neither format nor backing file from a header. */
function diskLayers({ path, format, backing }: DiskSpec): Record<string, unknown> {
  const file = { driver: 'file', filename: path, discard: 'unmap' };
  return format === 'raw'
    ? { driver: 'raw', file }
    : { driver: 'qcow2', file, backing: backingLayers(backing) };
}

function backingLayers(chain: DiskSpec['backing']): Record<string, unknown> | null {
  const [next, ...rest] = chain;
  if (!next) return null;
  const layer = {
    driver: next.format,
    'read-only': true,
    file: { driver: 'file', filename: next.path, 'read-only': true },
  };
  return next.format === 'raw' ? layer : { ...layer, backing: backingLayers(rest) };
}

interface CdDrive {
  id: string;
  /** The type of the device and its place on the bus. */
  device: string;
  path: string | null;
  boot: number | null;
}

/** The medium of a drive, as a read-only block node. */
export function mediumNode(path: string, name: string): Record<string, unknown> {
  const file = { driver: 'file', filename: path, 'read-only': true };
  return { driver: 'raw', 'node-name': name, 'read-only': true, file };
}

/** The drive for ISOs, and the drive of the seed. Their controller comes last, so that no other device changes its place. */
function cdDrives(spec: MachineSpec): string[] {
  const isScsi = spec.cdBus === 'scsi';
  const deviceAt = (place: number): string =>
    isScsi ? `scsi-cd,bus=scsi0.0,channel=0,scsi-id=0,lun=${place}` : `ide-cd,bus=ide.${place}`;
  const cdrom = { id: 'cdrom', device: deviceAt(0), path: spec.cdrom, boot: bootIndex(spec, 'cdrom') };
  const seed = { id: 'seed', device: deviceAt(1), path: spec.seed, boot: null };
  return [
    ...(isScsi ? ['-device', 'virtio-scsi-pci,id=scsi0'] : []),
    ...cdArguments(cdrom),
    ...(spec.seed === null ? [] : cdArguments(seed)),
  ];
}

function cdArguments({ id, device, path, boot }: CdDrive): string[] {
  const medium = path === null ? [] : blockdev(mediumNode(path, `${id}-medium`));
  const drive = path === null ? '' : `,drive=${id}-medium`;
  return [...medium, '-device', `${device},id=${id}${drive}${bootAt(boot)}`];
}

function networkArguments(spec: MachineSpec): string[] {
  const { network } = spec;
  if (network.kind === 'none' || network.kind === 'network') return [];
  const netdev = network.kind === 'bridge' ? `bridge,id=net0,br=${network.name}` : 'user,id=net0';
  const boot = bootIndex(spec, 'network');
  // Without a boot ROM the card is not a boot device, and the machine starts faster.
  const rom = boot === null ? ',romfile=' : bootAt(boot);
  return ['-netdev', netdev, '-device', `virtio-net-pci,netdev=net0,mac=${spec.mac}${rom}`];
}
