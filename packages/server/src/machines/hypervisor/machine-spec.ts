import { HypervisorError } from './hypervisor-error.ts';

export type DiskFormat = 'raw' | 'qcow2';

/** A backing file of a qcow2 overlay. Drivers open it read-only. */
export interface BackingSpec {
  /** Absolute path. */
  readonly path: string;
  readonly format: DiskFormat;
}

/** A disk of a machine. Drivers use these values and ignore the header of the file. */
export interface DiskSpec {
  /** Absolute path. */
  readonly path: string;
  readonly format: DiskFormat;
  /** The whole chain of backing files, nearest first; empty for a standalone disk. */
  readonly backing: readonly BackingSpec[];
}

export type NetworkSpec =
  { readonly kind: 'user' | 'none' } | { readonly kind: 'bridge' | 'network'; readonly name: string };

export type BootDevice = 'disk' | 'cdrom' | 'network';

/** The bus of the CD drives. The kernels of cloud images have no driver for SATA, and old guests none for virtio-scsi. */
export type CdBus = 'scsi' | 'sata';

/** Everything that a driver knows about a machine: ids, enumerations, numbers and absolute paths, no free text. */
export interface MachineSpec {
  /** A UUID of RFC 9562 in lower case. */
  readonly uuid: string;
  /** Number of the machine in wcc, from 100. */
  readonly id: number;
  /** See {@link machineNamePattern}. */
  readonly name: string;
  /** 1 to 255. */
  readonly cpus: number;
  /** A multiple of 1 MiB, at least 16 MiB. */
  readonly memoryBytes: number;
  readonly firmware: 'bios' | 'uefi';
  /** At most 16 disks. The first one is the boot disk. */
  readonly disks: readonly DiskSpec[];
  /** Absolute path of the ISO in the CD-ROM drive; null: the drive is empty. */
  readonly cdrom: string | null;
  /** Absolute path of the ISO with first-boot data, in a second CD-ROM drive; null: no second drive. */
  readonly seed: string | null;
  /** The bus of both drives. */
  readonly cdBus: CdBus;
  readonly network: NetworkSpec;
  /** A unicast MAC address in lower case, with colons. */
  readonly mac: string;
  /** Each device at most once. A machine does not boot from a device that is not in the list. */
  readonly bootOrder: readonly BootDevice[];
}

/** Names of machines. */
export const machineNamePattern: RegExp = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const macPattern = /^[0-9a-f][02468ace](:[0-9a-f]{2}){5}$/;
/** Linux allows 15 bytes for an interface name; libvirt's network names may be longer. */
const networkPatterns = {
  bridge: /^[A-Za-z0-9][A-Za-z0-9._-]{0,14}$/,
  network: /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/,
};
const mebibyte = 1024 ** 2;

export function isUuid(text: string): boolean {
  return uuidPattern.test(text);
}

/** Whether a machine can use a network of this name. wcc does not list networks of the host with other names. */
export function isNetworkName(kind: 'bridge' | 'network', name: string): boolean {
  return networkPatterns[kind].test(name);
}

/**
 * Every driver calls this before it uses a specification, even if the caller has checked it.
 * @throws HypervisorError `invalid_spec` that names the field
 */
export function assertMachineSpec(spec: MachineSpec): void {
  assertField('uuid', isUuid(spec.uuid));
  assertField('id', Number.isSafeInteger(spec.id) && spec.id > 0);
  assertField('name', isMachineName(spec.name));
  assertField('cpus', Number.isInteger(spec.cpus) && spec.cpus >= 1 && spec.cpus <= 255);
  assertField('memoryBytes', isMemorySize(spec.memoryBytes));
  assertField('firmware', spec.firmware === 'bios' || spec.firmware === 'uefi');
  assertField('disks', spec.disks.length <= 16);
  for (const disk of spec.disks) assertDiskSpec(disk);
  assertField('cdrom', spec.cdrom === null || isPlainPath(spec.cdrom));
  assertField('seed', spec.seed === null || isPlainPath(spec.seed));
  assertField('cdBus', spec.cdBus === 'scsi' || spec.cdBus === 'sata');
  assertField('network', isNetwork(spec.network));
  assertField('mac', macPattern.test(spec.mac));
  assertField('bootOrder', isBootOrder(spec.bootOrder));
}

/** @throws HypervisorError `invalid_spec` */
export function assertDiskSpec({ path, format, backing }: DiskSpec): void {
  const isFormat = (one: string): boolean => one === 'raw' || one === 'qcow2';
  assertField('disks', isPlainPath(path) && isFormat(format));
  assertField('disks', backing.length <= 8 && (backing.length === 0 || format === 'qcow2'));
  for (const one of backing) assertField('disks', isPlainPath(one.path) && isFormat(one.format));
  // Only a qcow2 file can have a backing file.
  for (const one of backing.slice(0, -1)) assertField('disks', one.format === 'qcow2');
}

/**
 * Whether a path is absolute, without control characters, which XML forbids, and without U+FFFD, which marks
 * undecodable bytes.
 */
export function isPlainPath(path: string): boolean {
  return path.startsWith('/') && path.length <= 4096 && !/[\p{Cc}\p{Cs}\ufffd-\uffff]/u.test(path);
}

export function isMachineName(name: string): boolean {
  return machineNamePattern.test(name);
}

export function isMemorySize(bytes: number): boolean {
  return Number.isSafeInteger(bytes) && bytes % mebibyte === 0 && bytes >= 16 * mebibyte;
}

function isNetwork(network: NetworkSpec): boolean {
  if (network.kind === 'bridge' || network.kind === 'network')
    return isNetworkName(network.kind, network.name);
  return ['user', 'none'].includes(network.kind);
}

function isBootOrder(order: readonly BootDevice[]): boolean {
  const known = order.every((one) => one === 'disk' || one === 'cdrom' || one === 'network');
  return known && new Set(order).size === order.length;
}

function assertField(field: keyof MachineSpec, isValid: boolean): void {
  if (!isValid) throw new HypervisorError('invalid_spec', { detail: field });
}

/** A specification as a driver has stored it: those of 0.1.0 have no bus, because all drives were on SATA. */
export type StoredSpec = Omit<MachineSpec, 'cdBus'> & Partial<Pick<MachineSpec, 'cdBus'>>;

export function restoreSpec(stored: StoredSpec): MachineSpec {
  return { ...stored, cdBus: stored.cdBus ?? 'sata' };
}

/** The specification with its known fields only, in a fixed order. */
export function normalizeSpec(spec: MachineSpec): MachineSpec {
  const { uuid, id, name, cpus, memoryBytes, firmware, cdrom, seed, cdBus, mac, bootOrder } = spec;
  const { network } = spec;
  return {
    uuid,
    id,
    name,
    cpus,
    memoryBytes,
    firmware,
    cdrom,
    seed,
    cdBus,
    mac,
    disks: spec.disks.map(({ path, format, backing }) => ({
      path,
      format,
      backing: backing.map((one) => ({ path: one.path, format: one.format })),
    })),
    network:
      network.kind === 'bridge' || network.kind === 'network'
        ? { kind: network.kind, name: network.name }
        : { kind: network.kind },
    bootOrder: [...bootOrder],
  };
}

export function isSameSpec(one: MachineSpec, other: MachineSpec): boolean {
  return JSON.stringify(normalizeSpec(one)) === JSON.stringify(normalizeSpec(other));
}
