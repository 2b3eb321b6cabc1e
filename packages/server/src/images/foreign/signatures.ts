/**
 * The kind of a file by its first and last bytes; `plain`: a raw disk, because the file has no known signature.
 */
export type Kind = 'qcow2' | 'iso' | 'plain';

/** Kinds of file that are refused, with a hint for each. */
export interface Unsupported {
  name: string;
  hint: string;
}

interface Signature extends Unsupported {
  offset: number;
  bytes: Buffer;
}

const unpack = (program: string): string => `Unpack it first: ${program} FILE`;
const convert = (format: string): string =>
  `Convert it first: qemu-img convert -f ${format} -O qcow2 FILE NEW.qcow2`;
const hex = (digits: string): Buffer => Buffer.from(digits, 'hex');
const text = (letters: string): Buffer => Buffer.from(letters, 'latin1');

/** Signatures at a fixed offset. */
const signatures: readonly Signature[] = [
  { name: 'gzip', offset: 0, bytes: hex('1f8b'), hint: unpack('gunzip') },
  { name: 'xz', offset: 0, bytes: hex('fd377a585a00'), hint: unpack('unxz') },
  { name: 'zstd', offset: 0, bytes: hex('28b52ffd'), hint: unpack('unzstd') },
  { name: 'bzip2', offset: 0, bytes: text('BZh'), hint: unpack('bunzip2') },
  { name: 'lz4', offset: 0, bytes: hex('04224d18'), hint: unpack('unlz4') },
  { name: 'lzip', offset: 0, bytes: text('LZIP'), hint: unpack('lzip -d') },
  { name: 'zip', offset: 0, bytes: hex('504b0304'), hint: unpack('unzip') },
  { name: '7z', offset: 0, bytes: hex('377abcaf271c'), hint: unpack('7z x') },
  { name: 'tar or OVA', offset: 257, bytes: text('ustar'), hint: unpack('tar -xf') },
  { name: 'VMDK', offset: 0, bytes: text('KDMV'), hint: convert('vmdk') },
  { name: 'VMDK', offset: 0, bytes: text('COWD'), hint: convert('vmdk') },
  { name: 'VMDK', offset: 0, bytes: text('# Disk DescriptorFile'), hint: convert('vmdk') },
  { name: 'VDI', offset: 64, bytes: hex('7f10dabe'), hint: convert('vdi') },
  { name: 'VHDX', offset: 0, bytes: text('vhdxfile'), hint: convert('vhdx') },
  { name: 'VHD', offset: 0, bytes: text('conectix'), hint: convert('vpc') },
  { name: 'QED', offset: 0, bytes: text('QED\0'), hint: convert('qed') },
  { name: 'Parallels', offset: 0, bytes: text('WithoutFreeSpace'), hint: convert('parallels') },
  { name: 'Parallels', offset: 0, bytes: text('WithouFreSpacExt'), hint: convert('parallels') },
];

/** Signatures before the end: a fixed VHD is a raw disk with a footer, and a DMG has one too. */
const footerBytes = 512;
const footers: readonly Omit<Signature, 'offset'>[] = [
  { name: 'VHD', bytes: text('conectix'), hint: convert('vpc') },
  { name: 'DMG', bytes: text('koly'), hint: convert('dmg') },
];

const webPage: Unsupported = {
  name: 'web page',
  hint: 'It may be a sign-in or error page: open its address in a browser.',
};
const pageStart = /^\s*<(?:!doctype\s+html|html|head|\?xml[^>]*>\s*<!doctype\s+html)/i;

const qcowMagic = hex('514649fb');
const isoIdentifier = text('CD001');

/** The bytes with signatures; shorter for short files. */
export interface Ends {
  head: Buffer;
  /** At `isoDescriptorOffset`. */
  descriptor: Buffer;
  /** The last 512 bytes. */
  tail: Buffer;
}

export const endLengths: Readonly<Record<keyof Ends, number>> = {
  head: 1024,
  descriptor: isoIdentifier.length,
  tail: footerBytes,
};

/** Recognises by content, never by name. */
export function recogniseForeign({ head, descriptor, tail }: Ends): Kind | Unsupported {
  if (head.subarray(0, qcowMagic.length).equals(qcowMagic)) return 'qcow2';
  const opening = signatures.find(({ offset, bytes }) =>
    head.subarray(offset, offset + bytes.length).equals(bytes),
  );
  // The first sectors of an ISO are for boot loaders, and may contain anything.
  if (descriptor.equals(isoIdentifier)) return 'iso';
  if (opening !== undefined) return opening;
  const closing = footers.find(({ bytes }) => tail.subarray(0, bytes.length).equals(bytes));
  if (closing !== undefined) return closing;
  return pageStart.test(head.toString('latin1')) ? webPage : 'plain';
}
