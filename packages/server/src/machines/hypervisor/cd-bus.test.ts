import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createSpec } from './guest.testkit.ts';
import { buildDomainXml } from './libvirt/domain-xml.ts';
import { ownerOf, readTag } from './libvirt/tag.ts';
import type { MachineSpec } from './machine-spec.ts';
import { buildArguments } from './qemu/arguments.ts';
import { createDefinitions } from './qemu/definitions.ts';

const emulator = { program: '/q', acceleration: 'tcg', machineType: 'pc-q35-7.2', uefiCode: null } as const;
const owner = ownerOf('/somewhere');
const domain = {
  emulator: '/q',
  acceleration: 'tcg',
  machineType: 'pc-q35-7.2',
  uefi: null,
  owner,
  files: { serial: '/serial', firmwareVariables: '/vars' },
} as const;

function specWith(changes: Partial<MachineSpec>): MachineSpec {
  const drives = { cdrom: '/iso', seed: '/seed', bootOrder: ['disk', 'cdrom'] } as const;
  return createSpec('/disks', { ...drives, ...changes });
}

/** The `-device` arguments of the machine, in order. */
function devicesOf(spec: MachineSpec): string[] {
  const line = buildArguments(spec, emulator);
  return line.filter((_, index) => line[index - 1] === '-device');
}

/** A stored specification of 0.1.0. */
function withoutBus(spec: MachineSpec): Partial<MachineSpec> {
  const stored: Partial<MachineSpec> = { ...spec };
  Reflect.deleteProperty(stored, 'cdBus');
  return stored;
}

describe('V1: CD drives', () => {
  it('qemu puts the drive and the seed on one virtio-scsi controller', () => {
    const cds = devicesOf(specWith({ cdBus: 'scsi' })).filter((device) => /scsi|ide/.test(device));
    expect(cds).toEqual([
      'virtio-scsi-pci,id=scsi0',
      'scsi-cd,bus=scsi0.0,channel=0,scsi-id=0,lun=0,id=cdrom,drive=cdrom-medium,bootindex=1',
      'scsi-cd,bus=scsi0.0,channel=0,scsi-id=0,lun=1,id=seed,drive=seed-medium',
    ]);
  });

  it('qemu puts the drive and the seed on SATA for an old guest', () => {
    const cds = devicesOf(specWith({ cdBus: 'sata' })).filter((device) => /scsi|ide/.test(device));
    expect(cds).toEqual([
      'ide-cd,bus=ide.0,id=cdrom,drive=cdrom-medium,bootindex=1',
      'ide-cd,bus=ide.1,id=seed,drive=seed-medium',
    ]);
  });

  it('qemu adds the controller last, so that no other PCI device changes its place', () => {
    const user = { network: { kind: 'user' }, mac: '52:54:00:00:00:01' } as const;
    const pci = (cdBus: 'scsi' | 'sata'): string[] =>
      devicesOf(specWith({ cdBus, ...user })).filter((device) => /pci|xhci|VGA/.test(device));
    expect(pci('scsi')).toEqual([...pci('sata'), 'virtio-scsi-pci,id=scsi0']);
  });

  it.each(['scsi', 'sata'] as const)('libvirt puts the drive and the seed on %s', (cdBus) => {
    const spec = specWith({ cdBus });
    const xml = buildDomainXml(spec, domain);
    const buses = [...xml.matchAll(/<target dev="(sd.)" bus="(\w+)"\/>/g)].map(([, dev, bus]) => [dev, bus]);
    expect(buses).toEqual([
      ['sda', cdBus],
      ['sdb', cdBus],
    ]);
    const controller = '<controller type="scsi" index="0" model="virtio-scsi"/>';
    expect(xml.includes(controller)).toBe(cdBus === 'scsi');
    expect(readTag(xml, { uuid: spec.uuid, owner })?.spec).toEqual(spec);
  });

  it('a machine that 0.1.0 stored keeps its drives on SATA', async () => {
    const spec = specWith({ cdBus: 'sata' });
    const old = withoutBus(spec) as MachineSpec;
    expect(readTag(buildDomainXml(old, domain), { uuid: spec.uuid, owner })?.spec).toEqual(spec);
    const home = await mkdtemp(join(tmpdir(), 'wcc-definitions-'));
    try {
      await mkdir(join(home, spec.uuid));
      const stored = JSON.stringify({ spec: old, machineType: 'pc-q35-7.2' });
      await writeFile(join(home, spec.uuid, 'machine.json'), stored);
      expect((await createDefinitions(home).read(spec.uuid))?.spec).toEqual(spec);
    } finally {
      await rm(home, { recursive: true });
    }
  });
});
