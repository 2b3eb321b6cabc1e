import { randomBytes, randomUUID } from 'node:crypto';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bootSectorTexts, makeBootSector, sectorBytes } from '../../images/sample/boot-sector.ts';
import type { Hypervisor } from '../hypervisor.ts';
import type { MachineSpec } from './machine-spec.ts';
import { waitUntil } from './wait.testkit.ts';

export const MiB: number = 1024 ** 2;

/**
 * A guest that overwrites the first sector of its disk with the second one. An attacker does so to change the detected format of a raw
 * disk. Assembled by nasm:
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

export function createOverwriter(): Buffer {
  return bootSectorOf(overwriter);
}

/**
 * A guest that prints `>`, then echoes every key on its serial port. Assembled by nasm:
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

export function createEcho(): Buffer {
  return bootSectorOf(echo);
}

/**
 * A guest that writes its disk from the start to the end, 32 KiB at a time. Assembled by nasm:
 *
 * ```
 * bits 16
 * org 0x7c00
 *   xor ax,ax
 *   mov ds,ax
 *   mov ss,ax
 *   mov sp,0x7c00
 * next:
 *   mov ax,0x4300
 *   mov dl,0x80
 *   mov si,packet
 *   int 0x13
 *   add dword [packet+8],byte 64
 *   jmp next
 * align 4
 * packet db 16,0
 *   dw 64,0x8000,0
 *   dq 64
 * ```
 */
const writer = '31c08ed88ed0bc007cb80043b280be1c7ccd13668306247c40ebee9010004000008000004000000000000000';

export function createWriter(): Buffer {
  return bootSectorOf(writer);
}

/**
 * A guest that sleeps once (ACPI S3), and prints `w` when it was woken. It remembers the sleep in the CMOS memory of the
 * clock. Assembled by nasm:
 *
 * ```
 * bits 16
 * org 0x7c00
 *   mov al,0x40
 *   out 0x70,al
 *   in al,0x71
 *   cmp al,0x5a
 *   je awake
 *   mov al,0x40
 *   out 0x70,al
 *   mov al,0x5a
 *   out 0x71,al
 *   mov dx,0x3f8
 *   mov al,'s'
 *   out dx,al
 *   mov dx,0x604          ; ACPI PM1 control: sleep type 1 (S3 in QEMU) and sleep enable
 *   mov ax,0x2400
 *   out dx,ax
 * rest:
 *   hlt
 *   jmp rest
 * awake:
 *   mov dx,0x3f8
 *   mov al,'w'
 *   out dx,al
 *   hlt
 *   jmp $-1
 * ```
 */
const sleeper = 'b040e670e4713c5a7418b040e670b05ae671baf803b073eeba0406b80024eff4ebfdbaf803b077eef4ebfd';

export function createSleeper(): Buffer {
  return bootSectorOf(sleeper);
}

/**
 * A guest that prints `p`, and reports a panic to the pvpanic device. Assembled by nasm:
 *
 * ```
 * bits 16
 * org 0x7c00
 *   mov dx,0x3f8
 *   mov al,'p'
 *   out dx,al
 *   mov dx,0x505
 *   mov al,1
 *   out dx,al
 * rest:
 *   hlt
 *   jmp rest
 * ```
 */
const panicker = 'baf803b070eeba0505b001eef4ebfd';

export function createPanicker(): Buffer {
  return bootSectorOf(panicker);
}

function bootSectorOf(code: string): Buffer {
  const sector = Buffer.alloc(sectorBytes);
  sector.write(code, 'hex');
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
  // The libvirt session may run as another user.
  await chmod(path, 0o666);
}

let lastId = 100;

/** The specification of a machine with one raw disk. The file of the disk does not exist yet. */
export function createSpec(directory: string, changes: Partial<MachineSpec> = {}): MachineSpec {
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
    cdBus: 'scsi',
    network: { kind: 'none' },
    mac: `52:54:00:${randomBytes(3).toString('hex').match(/../g)!.join(':')}`,
    bootOrder: ['disk', 'cdrom'],
    ...changes,
  };
}

/** Defines a machine with a bootable disk. */
export async function defineMachine(
  hypervisor: Hypervisor,
  directory: string,
  changes: Partial<MachineSpec> = {},
): Promise<MachineSpec> {
  const spec = createSpec(directory, changes);
  await writeDisk(spec.disks[0]!.path);
  await hypervisor.define(spec);
  return spec;
}

/** Waits until the serial log contains `text` this many times. */
export async function waitForOutput(
  hypervisor: Hypervisor,
  uuid: string,
  { text, times = 1 }: { text: string; times?: number },
): Promise<void> {
  await waitUntil(`the guest to print "${text}"`, async () => {
    const log = (await hypervisor.readSerial(uuid)).toString('latin1');
    return log.split(text).length > times;
  });
}

/** Starts a machine and waits until its guest has booted. */
export async function bootGuest(hypervisor: Hypervisor, uuid: string): Promise<void> {
  const before =
    (await hypervisor.readSerial(uuid)).toString('latin1').split(bootSectorTexts.ready).length - 1;
  await hypervisor.start(uuid);
  await waitForOutput(hypervisor, uuid, { text: bootSectorTexts.ready, times: before + 1 });
}
