import type { BackingSpec, BootDevice, CdBus, DiskSpec, MachineSpec } from '../machine-spec.ts';
import type { UefiFirmware } from '../uefi.ts';
import { buildTag } from './tag.ts';
import type { XmlElement, XmlNode } from './xml.ts';
import { element, toXml } from './xml.ts';

export interface DomainOptions {
  /** Absolute path of `qemu-system-x86_64`. */
  readonly emulator: string;
  readonly acceleration: 'kvm' | 'tcg';
  readonly machineType: string;
  readonly uefi: UefiFirmware | null;
  /** See `ownerOf`. */
  readonly owner: string;
  /** Absolute paths of files of this machine. */
  readonly files: { readonly serial: string; readonly firmwareVariables: string };
}

/** Device name of the drive for ISOs. */
export const cdromTarget = 'sda';
const seedTarget = 'sdb';

/** The machine as libvirt's XML. All values are ids, enumerations, numbers and paths; each is escaped anyway. */
export function buildDomainXml(spec: MachineSpec, options: DomainOptions): string {
  return toXml(buildDomain(spec, options));
}

/**
 * What wcc writes for a specification, to compare it with another definition. The parts that depend on the host are
 * placeholders.
 */
export function writtenDomain(spec: MachineSpec, owner: string): XmlElement {
  return buildDomain(spec, {
    emulator: '',
    acceleration: 'tcg',
    machineType: '',
    uefi: { code: '', variables: '' },
    owner,
    files: { serial: '', firmwareVariables: '' },
  });
}

function buildDomain(spec: MachineSpec, options: DomainOptions): XmlElement {
  const isKvm = options.acceleration === 'kvm';
  return element('domain', { type: isKvm ? 'kvm' : 'qemu' }, [
    element('name', {}, [spec.name]),
    element('uuid', {}, [spec.uuid]),
    element('metadata', {}, [buildTag(spec, options.owner)]),
    element('memory', { unit: 'KiB' }, [String(spec.memoryBytes / 1024)]),
    element('vcpu', {}, [String(spec.cpus)]),
    element('cpu', { mode: isKvm ? 'host-passthrough' : 'maximum' }),
    os(spec, options),
    element('features', {}, [element('acpi'), element('apic')]),
    element('clock', { offset: 'utc' }),
    element('on_poweroff', {}, ['destroy']),
    element('on_reboot', {}, ['restart']),
    // Keeps the machine and its screen, so that people see why its system panicked.
    element('on_crash', {}, ['preserve']),
    devices(spec, options),
  ]);
}

function os({ firmware }: MachineSpec, { machineType, uefi, files }: DomainOptions): XmlElement {
  const type = element('type', { arch: 'x86_64', machine: machineType }, ['hvm']);
  if (firmware === 'bios' || uefi === null) return element('os', {}, [type]);
  return element('os', {}, [
    type,
    element('loader', { readonly: 'yes', type: 'pflash' }, [uefi.code]),
    element('nvram', { template: uefi.variables }, [files.firmwareVariables]),
  ]);
}

function devices(spec: MachineSpec, { emulator, files }: DomainOptions): XmlElement {
  return element('devices', {}, [
    element('emulator', {}, [emulator]),
    ...spec.disks.map((disk, index) => diskElement(disk, { index, boot: bootElement(spec, 'disk') })),
    cdElement({
      target: cdromTarget,
      bus: spec.cdBus,
      path: spec.cdrom,
      boot: bootElement(spec, 'cdrom'),
    }),
    spec.seed === null
      ? null
      : cdElement({ target: seedTarget, bus: spec.cdBus, path: spec.seed, boot: null }),
    networkElement(spec),
    element('controller', { type: 'usb', model: 'qemu-xhci' }),
    // libvirt's own choice of a SCSI controller is one that cloud kernels cannot see.
    spec.cdBus === 'scsi' ? element('controller', { type: 'scsi', index: 0, model: 'virtio-scsi' }) : null,
    element('input', { type: 'tablet', bus: 'usb' }),
    element('serial', { type: 'file' }, [
      element('source', { path: files.serial, append: 'on' }),
      element('target', { type: 'isa-serial', port: 0 }),
    ]),
    // A unix socket in libvirt's own directory for the machine.
    element('graphics', { type: 'vnc', sharePolicy: 'force-shared' }, [
      element('listen', { type: 'socket' }),
    ]),
    element('video', {}, [element('model', { type: 'vga' })]),
    element('memballoon', { model: 'none' }),
    // The guest reports a panic to this device.
    element('panic', { model: 'isa' }),
    element('rng', { model: 'virtio' }, [element('backend', { model: 'random' }, ['/dev/urandom'])]),
  ]);
}

function bootElement(spec: MachineSpec, device: BootDevice): XmlElement | null {
  const at = spec.bootOrder.indexOf(device);
  return at === -1 ? null : element('boot', { order: at + 1 });
}

function diskElement(disk: DiskSpec, { index, boot }: { index: number; boot: XmlNode }): XmlElement {
  return element('disk', { type: 'file', device: 'disk' }, [
    element('driver', { name: 'qemu', type: disk.format, discard: 'unmap' }),
    element('source', { file: disk.path }),
    backingElement(disk.backing),
    element('target', { dev: `vd${String.fromCharCode(97 + index)}`, bus: 'virtio' }),
    index === 0 ? boot : null,
  ]);
}

/** An empty element ends the chain, so that libvirt does not read headers. */
function backingElement(chain: readonly BackingSpec[]): XmlElement {
  const [next, ...rest] = chain;
  if (!next) return element('backingStore');
  return element('backingStore', { type: 'file' }, [
    element('format', { type: next.format }),
    element('source', { file: next.path }),
    backingElement(rest),
  ]);
}

function cdElement({
  target,
  bus,
  path,
  boot,
}: {
  target: string;
  bus: CdBus;
  path: string | null;
  boot: XmlNode;
}): XmlElement {
  return element('disk', { type: 'file', device: 'cdrom' }, [
    element('driver', { name: 'qemu', type: 'raw' }),
    path === null ? null : element('source', { file: path }),
    path === null ? null : element('backingStore'),
    element('target', { dev: target, bus }),
    element('readonly'),
    boot,
  ]);
}

function networkElement(spec: MachineSpec): XmlElement | null {
  const { network } = spec;
  if (network.kind === 'none') return null;
  const source =
    network.kind === 'bridge' || network.kind === 'network'
      ? element('source', { [network.kind]: network.name })
      : null;
  const boot = bootElement(spec, 'network');
  return element('interface', { type: network.kind }, [
    source,
    element('mac', { address: spec.mac }),
    element('model', { type: 'virtio' }),
    boot,
    // Without a boot ROM the card is not a boot device, and the machine starts faster.
    boot === null ? element('rom', { enabled: 'no' }) : null,
  ]);
}
