// No file of this folder imports zod or Node: the console judges files in the browser.

/**
 * Why a kind of file cannot be used. `compressed` and `archive`: unpack it; `disk`: another program converts it;
 * `other`: it is surely not a disk.
 */
export type Family = 'compressed' | 'archive' | 'disk' | 'other';

/** A kind of file that is refused. */
export interface Kind {
  /** Stored as the reason of a refusal. */
  id: string;
  family: Family;
  name: string;
  /** @default name */
  nameJa?: string;
  /** The command that unpacks it, or the format that `qemu-img convert -f` knows. */
  tool?: string;
}

interface Mark {
  /** From the start; negative: from the end. */
  at: number;
  bytes: string;
}

/** A kind with its signatures. It is recognised by any of them. */
export interface MarkedKind extends Kind {
  marks: readonly Mark[];
}

const hex = (digits: string): string =>
  String.fromCodePoint(...(digits.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16)));
const start = (bytes: string): Mark => ({ at: 0, bytes });
interface Rest {
  tool?: string;
  marks: readonly Mark[];
}

type Naming = readonly [family: Family, id: string, name: string, nameJa?: string];

const row = ([family, id, name, nameJa = name]: Naming, rest: Rest): MarkedKind => {
  return { id, family, name, nameJa, ...rest };
};

/** Signatures at fixed places. Text formats are in `text-kinds.ts`. */
export const markedKinds: readonly MarkedKind[] = [
  row(['compressed', 'gzip', 'gzip'], { tool: 'gunzip', marks: [start(hex('1f8b08'))] }),
  row(['compressed', 'xz', 'xz'], { tool: 'unxz', marks: [start(hex('fd377a585a00'))] }),
  row(['compressed', 'zstd', 'zstd'], { tool: 'unzstd', marks: [start(hex('28b52ffd'))] }),
  row(['compressed', 'bzip2', 'bzip2'], {
    tool: 'bunzip2',
    marks: Array.from('123456789', (level) => start(`BZh${level}`)),
  }),
  row(['compressed', 'lz4', 'lz4'], {
    tool: 'unlz4',
    marks: [start(hex('04224d18')), start(hex('02214c18'))],
  }),
  row(['compressed', 'lzip', 'lzip'], { tool: 'lzip -d', marks: [start('LZIP')] }),
  row(['compressed', 'lzop', 'lzop'], { tool: 'lzop -d', marks: [start(hex('894c5a4f000d0a1a0a'))] }),
  row(['compressed', 'lzma', 'lzma'], {
    tool: 'unlzma',
    marks: [start(hex('5d00008000')), start(hex('5d00000001')), start(hex('5d00000004'))],
  }),
  row(['compressed', 'compress', 'compress'], { tool: 'uncompress', marks: [start(hex('1f9d90'))] }),
  row(['archive', 'zip', 'zip'], { tool: 'unzip', marks: [start(hex('504b0304')), start(hex('504b0506'))] }),
  row(['archive', '7z', '7z'], { tool: '7z x', marks: [start(hex('377abcaf271c'))] }),
  row(['archive', 'rar', 'rar'], { tool: 'unrar x', marks: [start('Rar!\u001a\u0007')] }),
  row(['archive', 'tar', 'tar or OVA'], { tool: 'tar -xf', marks: [{ at: 257, bytes: 'ustar' }] }),
  row(['archive', 'cpio', 'cpio'], { tool: 'cpio -id -F', marks: [start('070701'), start('070702')] }),
  row(['archive', 'cab', 'cab'], { tool: 'cabextract', marks: [start('MSCF\0\0\0\0')] }),
  row(['archive', 'deb', 'ar or deb'], { tool: 'ar x', marks: [start('!<arch>\n')] }),
  row(['archive', 'wim', 'WIM'], { tool: 'wimextract', marks: [start('MSWIM\0\0\0')] }),
  row(['archive', 'vma', 'Proxmox VMA'], { tool: 'vma extract', marks: [start('VMA\0')] }),
  row(['disk', 'vmdk', 'VMDK'], { tool: 'vmdk', marks: [start('KDMV'), start('COWD')] }),
  row(['disk', 'vdi', 'VDI'], { tool: 'vdi', marks: [{ at: 64, bytes: hex('7f10dabe') }] }),
  row(['disk', 'vhdx', 'VHDX'], { tool: 'vhdx', marks: [start('vhdxfile')] }),
  row(['disk', 'vhd', 'VHD'], {
    tool: 'vpc',
    // A fixed VHD is a raw disk with a footer. Old programs write a footer of 511 bytes.
    marks: [start('conectix'), { at: -512, bytes: 'conectix' }, { at: -511, bytes: 'conectix' }],
  }),
  row(['disk', 'qed', 'QED'], { tool: 'qed', marks: [start('QED\0')] }),
  row(['disk', 'parallels', 'Parallels'], {
    tool: 'parallels',
    marks: [start('WithoutFreeSpace'), start('WithouFreSpacExt')],
  }),
  row(['disk', 'bochs', 'Bochs'], { tool: 'bochs', marks: [start('Bochs Virtual HD Image')] }),
  row(['disk', 'cloop', 'cloop'], { tool: 'cloop', marks: [start('#!/bin/sh\n#V2.0 Format')] }),
  row(['disk', 'dmg', 'DMG'], { tool: 'dmg', marks: [{ at: -512, bytes: 'koly' }] }),
  row(['disk', 'android_sparse', 'Android sparse'], { marks: [start(hex('3aff26ed'))] }),
  row(['disk', 'partclone', 'partclone'], { marks: [start('partclone-image')] }),
  row(['disk', 'bin_cue', 'CD with raw sectors (BIN)', '生セクターの CD（BIN）'], {
    marks: [start(hex('00ffffffffffffffffffff00'))],
  }),
  row(['disk', 'nrg', 'Nero (NRG)'], {
    marks: [
      { at: -12, bytes: 'NER5' },
      { at: -8, bytes: 'NERO' },
    ],
  }),
  row(['disk', 'mdf', 'MDS'], { marks: [start('MEDIA DESCRIPTOR')] }),
  row(['disk', 'ciso', 'CISO'], { marks: [start('CISO')] }),
  row(['other', 'program', 'program (ELF)', 'プログラム（ELF）'], { marks: [start('\u007fELF')] }),
  row(['other', 'pdf', 'PDF'], { marks: [start('%PDF-')] }),
  row(['other', 'picture', 'picture', '画像'], {
    marks: [start(hex('89504e470d0a1a0a')), start(hex('ffd8ffe0')), start(hex('ffd8ffe1')), start('GIF89a')],
  }),
  row(['other', 'sqlite', 'SQLite'], { marks: [start('SQLite format 3\0')] }),
  row(['other', 'torrent', 'torrent', 'トレント'], {
    marks: [
      start('d8:announce'),
      start('d13:announce-list'),
      start('d7:comment'),
      start('d10:created by'),
      start('d13:creation date'),
      start('d4:info'),
    ],
  }),
];

/** Bytes from the end that {@link markedKinds} need. */
export const tailBytes = 512;

/** The kind with a signature at this end of the file. */
export function findMarked(head: Uint8Array, tail: Uint8Array): MarkedKind | null {
  const has = ({ at, bytes }: Mark): boolean =>
    at < 0 ? hasText(tail, tail.length + at, bytes) : hasText(head, at, bytes);
  return markedKinds.find(({ marks }) => marks.some(has)) ?? null;
}

/** Whether these bytes, one for each character, are at an offset. */
export function hasText(bytes: Uint8Array, offset: number, text: string): boolean {
  if (offset < 0 || offset + text.length > bytes.length) return false;
  for (let index = 0; index < text.length; index += 1)
    if (bytes[offset + index] !== text.codePointAt(index)) return false;
  return true;
}
