import { execFileSync } from 'node:child_process';
import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { bootSectorTexts, makeBootSector } from '../../images/sample/boot-sector.ts';
import type { MachineSpec } from './machine-spec.ts';
import type { ConformanceFixture } from './conformance-fixture.testkit.ts';
import {
  bootGuest,
  defineMachine,
  createOverwriter,
  createSpec,
  overwriterSays,
  waitForOutput,
  writeDisk,
} from './guest.testkit.ts';
import { findMachineProcess, openFiles } from './processes.testkit.ts';
import { waitUntil } from './wait.testkit.ts';

const hostile = [
  '--help',
  '-c',
  '',
  '.',
  '../x',
  'a b',
  'a/b',
  'a\nb',
  '<x/>',
  `a"b`,
  "a'b",
  'a&amp;b',
  '%s',
  'a,b=c',
  'é',
  'x'.repeat(64),
];

/** Tests of hostile names, paths and disks. */
export function describeSafety(fixture: ConformanceFixture): void {
  it('a machine named "1" is not confused with libvirt\'s machine number 1', async () => {
    const hypervisor = fixture.hypervisor();
    // libvirt gives the first running machine the number 1.
    const other = await defineMachine(hypervisor, fixture.directory());
    await bootGuest(hypervisor, other.uuid);
    for (const name of ['1', '2', '3']) {
      const { uuid } = await defineMachine(hypervisor, fixture.directory(), { name });
      await hypervisor.powerOff(uuid);
      await hypervisor.undefine(uuid);
    }
    expect(await hypervisor.status(other.uuid)).toMatchObject({ state: 'running' });
    await hypervisor.powerOff(other.uuid);
    await hypervisor.undefine(other.uuid);
  });

  it('define refuses every invalid name, path and address', async () => {
    const hypervisor = fixture.hypervisor();
    const good = createSpec(fixture.directory());
    const disk = good.disks[0]!;
    const bad: Partial<MachineSpec>[] = [
      ...hostile.map((name) => ({ name })),
      ...hostile.map((name) => ({ network: { kind: 'bridge', name } as const })),
      ...hostile.map((name) => ({ network: { kind: 'network', name } as const })),
      ...hostile.map((mac) => ({ mac })),
      ...hostile.map((uuid) => ({ uuid })),
      ...['relative.img', '/a\nb.img', '/a\u0000b', `/a\u{fffd}`].map((path) => ({
        disks: [{ ...disk, path }],
      })),
      { disks: [{ ...disk, format: 'vmdk' as 'raw' }] },
      { disks: [{ ...disk, backing: [{ path: '/etc/passwd', format: 'raw' }] }] },
      { cdrom: 'json:{}' },
      { seed: 'x' },
      { cdBus: 'ide' as 'sata' },
      { cpus: 0 },
      { cpus: '1 -S' as unknown as number },
      { memoryBytes: 1 },
      { bootOrder: ['disk', 'disk'] },
      { firmware: '/etc/passwd' as 'bios' },
    ];
    for (const changes of bad) {
      await expect(hypervisor.define({ ...good, ...changes }), JSON.stringify(changes)).rejects.toMatchObject(
        {
          code: 'invalid_spec',
        },
      );
    }
    expect(await hypervisor.status(good.uuid)).toBeNull();
  });

  it('boots from a path full of special characters', async () => {
    const hypervisor = fixture.hypervisor();
    const path = join(fixture.directory(), `a,b=c&d<e>f"g'h$i\`j%k{l}m;n:o é.img`);
    await writeDisk(path);
    const { uuid } = await defineMachine(hypervisor, fixture.directory());
    const spec = (await hypervisor.spec(uuid))!;
    await hypervisor.define({ ...spec, disks: [{ path, format: 'raw', backing: [] }] });
    await bootGuest(hypervisor, uuid);
    expect(await openFiles((await findMachineProcess(uuid))!)).toContain(path);
    await hypervisor.powerOff(uuid);
    await hypervisor.undefine(uuid);
  });

  it('ignores a backing file that a guest wrote into the header of its raw disk', async () => {
    const hypervisor = fixture.hypervisor();
    const { uuid, disks } = await defineMachine(hypervisor, fixture.directory());
    const path = disks[0]!.path;
    const secret = join(fixture.directory(), `${uuid}-secret.img`);
    // The secret is bootable: if the chain were followed, its guest would print a greeting.
    await writeDisk(secret);
    await writeDisk(path, [createOverwriter(), await createQcow2Header(fixture.directory(), secret)]);
    await hypervisor.start(uuid);
    await waitForOutput(hypervisor, uuid, { text: overwriterSays });
    await waitUntil(
      'the header on the disk',
      async () => (await readFile(path)).subarray(0, 3).toString() === 'QFI',
    );
    // A tool that probes the format believes this header.
    const info = execFileSync('qemu-img', ['info', '-U', '--output=json', path], { encoding: 'utf8' });
    expect(JSON.parse(info)).toMatchObject({ format: 'qcow2', 'backing-filename': secret });
    await hypervisor.powerOff(uuid);
    const readAt = (await stat(secret)).atimeMs;
    await hypervisor.start(uuid);
    const files = await openFiles((await findMachineProcess(uuid))!);
    expect(files).toContain(path);
    expect(files).not.toContain(secret);
    expect((await stat(secret)).atimeMs).toBe(readAt);
    // Waits until another machine has booted, which takes longer than a boot of the secret guest.
    const other = await defineMachine(hypervisor, fixture.directory());
    await bootGuest(hypervisor, other.uuid);
    expect((await hypervisor.readSerial(uuid)).toString('latin1')).not.toContain(bootSectorTexts.hello);
    for (const one of [uuid, other.uuid]) {
      await hypervisor.powerOff(one);
      await hypervisor.undefine(one);
    }
  });

  it('opens an overlay with the backing chain of the specification only', async () => {
    const hypervisor = fixture.hypervisor();
    const base = join(fixture.directory(), 'base.img');
    await writeDisk(base);
    const overlay = join(fixture.directory(), 'overlay.qcow2');
    execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', '-F', 'raw', '-b', base, overlay]);
    await chmod(overlay, 0o666);
    const spec = await defineMachine(hypervisor, fixture.directory());
    const backing = [{ path: base, format: 'raw' } as const];
    await hypervisor.define({ ...spec, disks: [{ path: overlay, format: 'qcow2', backing }] });
    const before = await readFile(base);
    await bootGuest(hypervisor, spec.uuid);
    await hypervisor.powerOff(spec.uuid);
    expect((await readFile(base)).equals(before)).toBe(true);
    // Without its chain the overlay is empty and does not boot.
    await hypervisor.define({ ...spec, disks: [{ path: overlay, format: 'qcow2', backing: [] }] });
    await hypervisor.start(spec.uuid);
    expect(await openFiles((await findMachineProcess(spec.uuid))!)).not.toContain(base);
    await hypervisor.powerOff(spec.uuid);
    await hypervisor.undefine(spec.uuid);
  });

  it('a failed start reports the reason and leaves the machine off', async () => {
    const hypervisor = fixture.hypervisor();
    const spec = createSpec(fixture.directory());
    await hypervisor.define(spec);
    await expect(hypervisor.start(spec.uuid)).rejects.toMatchObject({
      code: 'start_failed',
      detail: expect.stringContaining(spec.disks[0]!.path) as string,
    });
    expect(await hypervisor.status(spec.uuid)).toMatchObject({ state: 'shut_off' });
    await writeFile(spec.disks[0]!.path, makeBootSector());
    await hypervisor.undefine(spec.uuid);
  });
}

/** The first sector of a qcow2 image that names a backing file. */
async function createQcow2Header(directory: string, backing: string): Promise<Buffer> {
  const path = join(directory, 'header.qcow2');
  // The old version of the format has no table of feature names, so its header fits into one sector.
  const layout = ['-o', 'compat=0.10', '-F', 'raw', '-b', backing];
  execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', ...layout, path]);
  return (await readFile(path)).subarray(0, 512);
}
