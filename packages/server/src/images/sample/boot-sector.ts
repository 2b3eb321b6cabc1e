/**
 * The first sector of a disk that boots: it greets on the screen and on the serial port, writes one sector of its disk,
 * and shuts down when the power button is pressed. 512 bytes, made for wcc, booted in a quarter of a second.
 *
 * Assembled by `nasm -f bin boot.asm` (real mode, no firmware calls but INT 10h and INT 13h):
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
 *   mov [drive],dl
 *   mov dx,0x3fb          ; COM1: 115200 baud, 8 bits, no parity
 *   mov al,0x80
 *   out dx,al
 *   mov dx,0x3f8
 *   mov ax,1
 *   out dx,ax
 *   mov dx,0x3fb
 *   mov al,3
 *   out dx,al
 *   mov si,hello
 *   call print
 *   mov ax,0x0301         ; write one sector: the second of this disk
 *   mov cx,2
 *   mov dx,[drive]
 *   xor dh,dh
 *   mov bx,mark
 *   int 0x13
 *   mov si,written
 *   jnc .ok
 *   mov si,refused
 * .ok:
 *   call print
 *   mov dx,0x602          ; ACPI PM1 enable: power button (QEMU's firmware puts the PM block at 0x600)
 *   mov ax,0x100
 *   out dx,ax
 *   mov si,ready
 *   call print
 * .wait:                  ; woken by the timer 18 times a second, so that it needs no processor
 *   sti
 *   hlt
 *   mov dx,0x600          ; ACPI PM1 status: was the button pressed?
 *   in ax,dx
 *   test ah,1
 *   jz .wait
 *   mov si,bye
 *   call print
 *   mov dx,0x604          ; ACPI PM1 control: sleep type 0 (S5 in QEMU) and sleep enable
 *   mov ax,0x2000
 *   out dx,ax
 * .end:
 *   hlt
 *   jmp .end
 * print:
 *   lodsb
 *   test al,al
 *   jz .done
 *   push ax
 *   mov ah,0x0e
 *   mov bx,7
 *   int 0x10
 *   mov dx,0x3fd
 * .busy:
 *   in al,dx
 *   test al,0x20
 *   jz .busy
 *   pop ax
 *   mov dx,0x3f8
 *   out dx,al
 *   jmp print
 * .done:
 *   ret
 * hello   db 13,10,'Hello from wcc: this machine runs.',13,10,0
 * written db 'Its disk is written to.',13,10,0
 * refused db 'Its disk is read-only.',13,10,0
 * ready   db 'Press the power button to shut it down.',13,10,0
 * bye     db 'Good-bye.',13,10,0
 * mark    db 'WCC GUEST WAS HERE'
 * drive   db 0
 * times 510-($-$$) db 0
 * dw 0xaa55
 * ```
 */
const code =
  'ea057c000031c08ed88ec08ed0bc007cfc8816317dbafb03b080eebaf803b80100efbafb03b003eebe8f7ce84400b801' +
  '03b902008b16317d30f6bb1f7dcd13beb67c7303bed07ce82800ba0206b80001efbee97ce81b00fbf4ba0006edf6c401' +
  '74f5be137de80a00ba0406b80020eff4ebfdac84c0741750b40ebb0700cd10bafd03eca82074fb58baf803eeebe4c30d' +
  '0a48656c6c6f2066726f6d207763633a2074686973206d616368696e652072756e732e0d0a00497473206469736b2069' +
  '73207772697474656e20746f2e0d0a00497473206469736b20697320726561642d6f6e6c792e0d0a0050726573732074' +
  '686520706f77657220627574746f6e20746f207368757420697420646f776e2e0d0a00476f6f642d6279652e0d0a0057' +
  '4343204755455354205741532048455245';

export const sectorBytes = 512;

/** Its messages, in this order. */
export const bootSectorTexts = {
  hello: 'Hello from wcc: this machine runs.',
  written: 'Its disk is written to.',
  readOnly: 'Its disk is read-only.',
  ready: 'Press the power button to shut it down.',
  bye: 'Good-bye.',
} as const;

/** The text that it writes at the start of the second sector of its disk. */
export const bootSectorMark = 'WCC GUEST WAS HERE';

/** A new copy of the sector. */
export function makeBootSector(): Buffer {
  const sector = Buffer.alloc(sectorBytes);
  sector.write(code, 'hex');
  // The boot signature of a PC.
  sector.writeUInt16LE(0xaa55, sectorBytes - 2);
  return sector;
}
