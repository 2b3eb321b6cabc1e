import { crc32, deflateSync } from 'node:zlib';
import { HypervisorError } from './hypervisor-error.ts';

const pngSignature = Buffer.from('89504e470d0a1a0a', 'hex');
/** Largest width or height that is accepted: no screen of a machine is larger. */
const maxSide = 16_384;

/**
 * Converts a hypervisor's screenshot to PNG: keeps PNG, and converts PPM, which a QEMU without PNG sends. @throws
 * HypervisorError `failed`
 */
export function toPng(image: Buffer): Buffer {
  if (image.subarray(0, 8).equals(pngSignature)) return image;
  // P6, width, height, 255, one white space, then three bytes per pixel
  const header = /^P6\s+(\d{1,5})\s+(\d{1,5})\s+255\s/.exec(image.subarray(0, 64).toString('latin1'));
  if (!header) throw new HypervisorError('failed', { detail: 'the screenshot is neither PNG nor PPM' });
  const [width, height] = [Number(header[1]), Number(header[2])];
  const pixels = image.subarray(header[0].length);
  if (width > maxSide || height > maxSide || pixels.length < width * height * 3)
    throw new HypervisorError('failed', { detail: 'the screenshot is truncated' });
  return encodePng({ width, height, pixels });
}

function encodePng({ width, height, pixels }: { width: number; height: number; pixels: Buffer }): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  // 8 bits per channel, RGB; compression, filter and interlace method 0
  header.set([8, 2, 0, 0, 0], 8);
  const rows = Buffer.alloc(height * (1 + width * 3));
  for (let row = 0; row < height; row += 1) {
    pixels.copy(rows, row * (1 + width * 3) + 1, row * width * 3, (row + 1) * width * 3);
  }
  const parts = [chunk('IHDR', header), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))];
  return Buffer.concat([pngSignature, ...parts]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}
