import { describe, expect, it } from 'vitest';
import { createSpec } from '../guest.testkit.ts';
import type { MachineSpec } from '../machine-spec.ts';
import { compareDomains } from './domain-settings.ts';
import { writtenDomain } from './domain-xml.ts';
import { mergeDomain } from './merge-domain.ts';
import { parseXml } from './parse-xml.ts';
import { buildTag } from './tag.ts';
import { toXml } from './xml.ts';

const owner = '0123456789abcdef0123456789abcdef';
const spec: MachineSpec = {
  ...createSpec('/pool'),
  uuid: '3f0b4f6c-2d0e-4b43-9a53-0d0c8f5a1f11',
  name: 'dat',
  disks: [{ path: '/pool/dat-disk0.qcow2', format: 'qcow2', backing: [] }],
  network: { kind: 'user' },
  mac: '52:54:00:11:22:33',
};

/** libvirt 9.0 prints this for the specification. */
const printed = `<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>dat</name>
  <uuid>${spec.uuid}</uuid>
  <title>It&apos;s &quot;mine&quot; &amp; yours</title>
  <metadata>
    <wcc:machine xmlns:wcc="https://wcc.invalid/machine/1" owner="${owner}">${Buffer.from(JSON.stringify(spec)).toString('base64')}</wcc:machine>
    <other:app xmlns:other="urn:x">kept</other:app>
  </metadata>
  <memory unit='KiB'>32768</memory>
  <currentMemory unit='KiB'>32768</currentMemory>
  <vcpu placement='static'>1</vcpu>
  <cputune><shares>512</shares></cputune>
  <os>
    <type arch='x86_64' machine='pc-q35-7.2'>hvm</type>
  </os>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2' cache='none' discard='unmap'/>
      <source file='/pool/dat-disk0.qcow2'/>
      <backingStore/>
      <target dev='vda' bus='virtio'/>
      <boot order='1'/>
      <address type='pci' domain='0x0000' bus='0x03' slot='0x00' function='0x0'/>
    </disk>
    <disk type='file' device='cdrom'>
      <driver name='qemu' type='raw'/>
      <target dev='sda' bus='sata'/>
      <readonly/>
      <boot order='2'/>
      <address type='drive' controller='0' bus='0' target='0' unit='0'/>
    </disk>
    <controller type='sata' index='0'>
      <address type='pci' domain='0x0000' bus='0x00' slot='0x1f' function='0x2'/>
    </controller>
    <interface type='user'>
      <mac address='52:54:00:11:22:33'/>
      <model type='virtio'/>
      <rom enabled='no'/>
    </interface>
    <graphics type='vnc' sharePolicy='force-shared' passwd='secret'>
      <listen type='socket'/>
    </graphics>
    <hostdev mode='subsystem' type='usb'><source><vendor id='0x1234'/></source></hostdev>
  </devices>
  <qemu:commandline>
    <qemu:arg value='-foo'/>
  </qemu:commandline>
</domain>
`;

const changed = (from: string, to: string): string => {
  expect(printed).toContain(from);
  return printed.replace(from, to);
};
const compare = (xml: string): ReturnType<typeof compareDomains> =>
  compareDomains(writtenDomain(spec, owner), parseXml(xml));

describe('parseXml', () => {
  it('reads what toXml writes', () => {
    const read = parseXml(printed);
    expect(parseXml(toXml(read))).toEqual(read);
    expect(toXml(read)).toContain('<title>It&apos;s &quot;mine&quot; &amp; yours</title>');
    const path = `/pool/a'b"c<d>&e\n\t\r.qcow2`;
    const element = { name: 'source', attributes: { file: path }, children: [] };
    expect(parseXml(toXml(element))).toEqual(element);
    expect(toXml(parseXml('<a><!-- no --><![CDATA[<b> & c]]></a>'))).toBe('<a>&lt;b&gt; &amp; c</a>');
  });

  it.each(['', 'text', '<a>', '<a></b>', '<a b=c/>', '<a/><b/>', '<a', '<!DOCTYPE a><a/>', '<a b="<"/>'])(
    'rejects %j',
    (text) => {
      expect(() => parseXml(text)).toThrow(expect.objectContaining({ code: 'failed' }));
    },
  );

  it('rejects elements that are nested too deeply', () => {
    expect(() => parseXml('<a>'.repeat(100_000))).toThrow(expect.objectContaining({ code: 'failed' }));
  });
});

describe('compareDomains', () => {
  it('finds no difference in what libvirt adds', () => {
    expect(compare(printed)).toEqual([]);
  });

  it('V2: names an external snapshot, which no specification can express', () => {
    const snapshot = changed(
      `<source file='/pool/dat-disk0.qcow2'/>\n      <backingStore/>`,
      `<source file='/pool/dat-disk0.s1'/><backingStore type='file'><format type='qcow2'/>` +
        `<source file='/pool/dat-disk0.qcow2'/><backingStore/></backingStore>`,
    );
    expect(compare(snapshot)).toEqual([
      {
        setting: 'disks',
        written: 'vda /pool/dat-disk0.qcow2 (qcow2)',
        found: 'vda /pool/dat-disk0.s1 (qcow2) on /pool/dat-disk0.qcow2 (qcow2)',
        adopt: null,
      },
    ]);
  });

  it('V2, V10c: names CPUs, memory and name, with the values to adopt', () => {
    const other = changed('<name>dat<', '<name>new<')
      .replace('>1</vcpu>', '>4</vcpu>')
      .replace("'KiB'>32768</memory", "'KiB'>65536</memory");
    expect(compare(other).map(({ setting, adopt }) => [setting, adopt])).toEqual([
      ['name', { name: 'new' }],
      ['cpus', { cpus: 4 }],
      ['memory', { memoryBytes: 65_536 * 1024 }],
    ]);
  });

  it.each([
    ['a part of the CPUs', `placement='static'>1<`, `placement='static' current='1'>4<`, 'cpus'],
    ['memory that is not whole MiB', `'KiB'>32768</memory`, `'KiB'>32769</memory`, 'memory'],
    ['a moved disk', '/pool/dat-disk0.qcow2', '/elsewhere/disk.qcow2', 'disks'],
    ['another format', `type='qcow2' cache`, `type='raw' cache`, 'disks'],
    [
      'another disk',
      `<controller type='sata'`,
      `<disk type='block' device='disk'><source dev='/dev/sdx'/><target dev='vdb'/></disk><controller type='sata'`,
      'disks',
    ],
    [
      'another card',
      `<graphics`,
      `<interface type='bridge'><source bridge='br0'/><mac address='52:54:00:11:22:34'/></interface><graphics`,
      'network',
    ],
    [
      'UEFI',
      'hvm</type>',
      `hvm</type><loader readonly='yes' type='pflash'>/usr/share/OVMF/OVMF_CODE_4M.fd</loader>`,
      'firmware',
    ],
    ['another boot device', `<mac address`, `<boot order='3'/><mac address`, null],
    ['a disc', `<target dev='sda'`, `<source file='/pool/a.iso'/><target dev='sda'`, null],
  ])('names %s', (...[, from, to, fixed]) => {
    const differences = compare(changed(from, to));
    expect(differences).toHaveLength(1);
    if (fixed === null) expect(differences[0]!.adopt).not.toBeNull();
    else expect(differences[0]).toMatchObject({ setting: fixed, adopt: null });
  });
});

describe('mergeDomain', () => {
  const merge = (changes: Partial<MachineSpec>): string => {
    const [base, next] = [writtenDomain(spec, owner), writtenDomain({ ...spec, ...changes }, owner)];
    return toXml(mergeDomain(parseXml(printed), { base, next }));
  };

  it('keeps everything of libvirt and of others when nothing changes', () => {
    expect(parseXml(merge({}))).toEqual(parseXml(printed));
  });

  it('V2: changes the CPUs and the record of wcc alone', () => {
    const expected = parseXml(printed.replace('>1</vcpu>', '>2</vcpu>'));
    const tag = buildTag({ ...spec, cpus: 2 }, owner).children[0] as string;
    const text = toXml(expected).replace(/(<wcc:machine[^>]*>)[^<]*/, `$1${tag}`);
    expect(merge({ cpus: 2 })).toBe(text);
  });

  it('changes memory without the old current memory', () => {
    const merged = merge({ memoryBytes: 64 * 1024 ** 2 });
    expect(merged).toContain('>65536</memory>');
    expect(merged).not.toContain('currentMemory');
  });

  it('adds a disk, a disc and a boot order, and keeps the cache mode and the addresses', () => {
    const second = { path: '/pool/dat-disk1.raw', format: 'raw', backing: [] } as const;
    const changes = { disks: [...spec.disks, second], cdrom: '/pool/a.iso', bootOrder: ['cdrom'] } as const;
    const merged = merge(changes);
    expect(compareDomains(writtenDomain({ ...spec, ...changes }, owner), parseXml(merged))).toEqual([]);
    expect(merged).toContain('cache="none"');
    expect(merged.match(/<address /g)).toHaveLength(printed.match(/<address /g)!.length);
    for (const kept of ['passwd="secret"', 'hostdev', 'qemu:arg', 'cputune', 'other:app'])
      expect(merged).toContain(kept);
  });

  it('drops the address of a device that moves to another bus', () => {
    const xml = (bus: string): string =>
      `<domain><devices><disk><target dev="sda" bus="${bus}"/></disk></devices></domain>`;
    const actual = `<domain><devices><disk><target dev="sda" bus="sata"/><address type="drive"/></disk></devices></domain>`;
    const merged = mergeDomain(parseXml(actual), {
      base: parseXml(xml('sata')),
      next: parseXml(xml('scsi')),
    });
    expect(toXml(merged)).toBe(xml('scsi'));
  });
});
