import { randomBytes, randomUUID } from 'node:crypto';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bootSectorSays, makeBootSector, sectorBytes } from '../../images/sample/boot-sector.ts';
import type { Hypervisor } from '../hypervisor.ts';
import type { MachineSpec } from './machine-spec.ts';
import { waitUntil } from './wait.testkit.ts';

export const MiB: number = 1024 ** 2;

/**
 * A guest that reads the second sector of its disk and writes it over the first one, as an attacker would who wants the next reader to take a
 * raw disk for something else. Assembled by nasm:
 *
 * ```
 * bits 16
 * org 0x7c00
 *   jmp 0:main
 * main:
 *   xor ax,ax
 *   mov ds,ax
 *   mov es,ax
 *   mov ss,ax
 *   mov sp,0x7c00
 *   cld
 *   mov ax,0x0201
 *   mov cx,2
 *   xor dh,dh
 *   mov bx,0x7e00
 *   int 0x13
 *   jc rest
 *   mov ax,0x0301
 *   mov cx,1
 *   xor dh,dh
 *   int 0x13
 *   jc rest
 *   mov si,text
 * next:
 *   lodsb
 *   test al,al
 *   jz rest
 *   mov dx,0x3f8
 *   out dx,al
 *   jmp next
 * rest:
 *   hlt
 *   jmp rest
 * text db 'overwritten',13,10,0
 * times 510-($-$$) db 0
 * dw 0xaa55
 * ```
 */
const overwriter =
  'ea057c000031c08ed88ec08ed0bc007cfcb80102b9020030f6bb007ecd13721ab80103b9010030f6cd13720ebe3d7cac' +
  '84c07406baf803eeebf5f4ebfd6f7665727772697474656e0d0a';
export const overwriterSays = 'overwritten';

export function makeOverwriter(): Buffer {
  const sector = Buffer.alloc(sectorBytes);
  sector.write(overwriter, 'hex');
  sector.writeUInt16LE(0xaa55, sectorBytes - 2);
  return sector;
}

/**
 * A guest that says every key that it gets on its serial port, after one `>`. Assembled by nasm:
 *
 * ```
 * bits 16
 * org 0x7c00
 *   mov al,'>'
 *   mov dx,0x3f8
 *   out dx,al
 * next:
 *   mov ah,0
 *   int 0x16
 *   mov dx,0x3f8
 *   out dx,al
 *   jmp next
 * ```
 */
const echo = 'b03ebaf803eeb400cd16baf803eeebf6';

export function makeEcho(): Buffer {
  const sector = Buffer.alloc(sectorBytes);
  sector.write(echo, 'hex');
  sector.writeUInt16LE(0xaa55, sectorBytes - 2);
  return sector;
}

/** A raw disk of 1 MiB with these sectors at its start. */
export async function writeDisk(
  path: string,
  sectors: readonly Buffer[] = [makeBootSector()],
): Promise<void> {
  const disk = Buffer.alloc(MiB);
  Buffer.concat(sectors).copy(disk);
  await writeFile(path, disk);
  // libvirt's session may be another user's.
  await chmod(path, 0o666);
}

let lastId = 100;

/** A machine with one raw disk that boots; nothing lies at the path yet. */
export function makeSpec(directory: string, changes: Partial<MachineSpec> = {}): MachineSpec {
  const uuid = randomUUID();
  lastId += 1;
  return {
    uuid,
    id: lastId,
    name: `guest-${uuid.slice(0, 8)}`,
    cpus: 1,
    memoryBytes: 32 * MiB,
    firmware: 'bios',
    disks: [{ path: join(directory, `${uuid}.img`), format: 'raw', backing: [] }],
    cdrom: null,
    seed: null,
    network: { kind: 'none' },
    mac: `52:54:00:${randomBytes(3).toString('hex').match(/../g)!.join(':')}`,
    bootOrder: ['disk', 'cdrom'],
    ...changes,
  };
}

/** A machine that is defined, and whose disk boots. */
export async function makeMachine(
  hypervisor: Hypervisor,
  directory: string,
  changes: Partial<MachineSpec> = {},
): Promise<MachineSpec> {
  const spec = makeSpec(directory, changes);
  await writeDisk(spec.disks[0]!.path);
  await hypervisor.define(spec);
  return spec;
}

/** Waits until the guest said this `times` times since its log began. */
export async function waitForOutput(
  hypervisor: Hypervisor,
  uuid: string,
  { words, times = 1 }: { words: string; times?: number },
): Promise<void> {
  await waitUntil(`the guest to say "${words}"`, async () => {
    const said = (await hypervisor.readSerial(uuid)).toString('latin1');
    return said.split(words).length > times;
  });
}

/** Starts it and waits until its guest is up. */
export async function bootGuest(hypervisor: Hypervisor, uuid: string): Promise<void> {
  const before =
    (await hypervisor.readSerial(uuid)).toString('latin1').split(bootSectorSays.ready).length - 1;
  await hypervisor.start(uuid);
  await waitForOutput(hypervisor, uuid, { words: bootSectorSays.ready, times: before + 1 });
}
