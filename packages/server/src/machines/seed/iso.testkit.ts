import { makeBootSector } from '../../images/sample/boot-sector.ts';
import { writeVolume } from './iso9660.ts';

const sectorBytes = 2048;

/**
 * A bootable ISO (El Torito 1.0). The boot record is in sector 17, where a volume without Joliet has its terminator.
 * The catalog and a boot image without emulation follow the volume.
 */
export function bootableIso(): Buffer {
  const volume = writeVolume('BOOT', [{ name: 'readme', content: Buffer.from('boots\n') }]);
  const catalogSector = volume.length / sectorBytes;
  const imageSector = catalogSector + 1;
  const record = Buffer.alloc(sectorBytes);
  record.write('CD001', 1, 'ascii');
  record[6] = 1;
  record.write('EL TORITO SPECIFICATION', 7, 'ascii');
  record.writeUInt32LE(catalogSector, 71);
  // Replaces the Joliet descriptor, because firmware reads the boot record from exactly this sector.
  record.copy(volume, 17 * sectorBytes);
  return Buffer.concat([volume, catalog(imageSector), bootImage()]);
}

function catalog(imageSector: number): Buffer {
  const bytes = Buffer.alloc(sectorBytes);
  bytes[0] = 1; // validation entry, for 80x86
  bytes.writeUInt16LE(0xaa55, 30);
  let sum = 0;
  for (let at = 0; at < 32; at += 2) sum += bytes.readUInt16LE(at);
  bytes.writeUInt16LE(-sum & 0xffff, 28);
  bytes[32] = 0x88; // the default entry boots
  bytes.writeUInt16LE(1, 38); // one sector of 512 bytes
  bytes.writeUInt32LE(imageSector, 40);
  return bytes;
}

function bootImage(): Buffer {
  return Buffer.concat([makeBootSector(), Buffer.alloc(sectorBytes - 512)]);
}
