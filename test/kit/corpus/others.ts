import { readFile, writeFile } from 'node:fs/promises';
import { bytesWith, tool } from './member.ts';
import type { Maker, Verdict } from './member.ts';

const [unsupported, packed, alien] = ['unsupported_format', 'compressed_file', 'not_an_image'] as const;
const hex = (digits: string): Buffer => Buffer.from(digits, 'hex');

/** Disks of other programs. */
export async function makeForeignDisks({ at, add, write, change }: Maker): Promise<void> {
  const create = async (name: string, format: string, options: string[] = []): Promise<void> => {
    await tool('qemu-img', 'create', '-q', '-f', format, ...options, at(name), '1M');
    add(name, unsupported);
  };
  await create('f-vmdk', 'vmdk');
  await create('f-vmdk-stream', 'vmdk', ['-o', 'subformat=streamOptimized']);
  await create('f-vdi', 'vdi');
  await create('f-vhdx', 'vhdx');
  await create('f-vhd', 'vpc');
  await create('f-vhd-fixed', 'vpc', ['-o', 'subformat=fixed']);
  await create('f-qed', 'qed');
  await create('f-parallels', 'parallels');
  await create('f-qcow1', 'qcow');
  const { length } = await readFile(at('f-vhd-fixed'));
  await change('f-vhd-511', unsupported, { from: at('f-vhd-fixed'), length: length - 1 });
  const descriptor =
    'version=1\nCID=1\nparentCID=ffffffff\ncreateType="monolithicFlat"\nRW 2048 FLAT "x" 0\n';
  await write('f-vmdk-text', unsupported, `# Disk DescriptorFile\n${descriptor}`);
  await write('f-vmdk-blank-line', unsupported, `\n\n# Disk DescriptorFile\n${descriptor}`);
  await write('f-vmdk-no-comment', unsupported, descriptor);
  await write('f-dmg', unsupported, bytesWith(65_536, { 65_024: 'koly' }));
}

/** Signatures in files of zeros: name, verdict, bytes by offset. */
const signed: readonly [name: string, verdict: Verdict, parts: Readonly<Record<number, string | Buffer>>][] =
  [
    ['lzip', packed, { 0: 'LZIP\u0001' }],
    ['lzop', packed, { 0: hex('894c5a4f000d0a1a0a') }],
    ['compress', packed, { 0: hex('1f9d90') }],
    ['lz4-legacy', packed, { 0: hex('02214c18') }],
    ['zip-empty', packed, { 0: hex('504b0506') }],
    ['7z', packed, { 0: hex('377abcaf271c') }],
    ['rar', packed, { 0: 'Rar!\u001a\u0007\u0001' }],
    ['cpio', packed, { 0: '070701' }],
    ['cab', packed, { 0: 'MSCF' }],
    ['deb', packed, { 0: '!<arch>\ndebian-binary' }],
    ['wim', packed, { 0: 'MSWIM' }],
    ['vma', packed, { 0: 'VMA\0' }],
    ['android-sparse', unsupported, { 0: hex('3aff26ed') }],
    ['partclone', unsupported, { 0: 'partclone-image' }],
    ['bin', unsupported, { 0: hex('00ffffffffffffffffffff00') }],
    ['nrg', unsupported, { 65_524: 'NER5' }],
    ['nrg-old', unsupported, { 65_528: 'NERO' }],
    ['mds', unsupported, { 0: 'MEDIA DESCRIPTOR' }],
    ['ciso', unsupported, { 0: 'CISO' }],
    ['elf', alien, { 0: '\u007fELF\u0002\u0001\u0001' }],
    ['pdf', alien, { 0: '%PDF-1.7\n' }],
    ['png', alien, { 0: hex('89504e470d0a1a0a') }],
    ['jpeg', alien, { 0: hex('ffd8ffe000104a464946') }],
    ['sqlite', alien, { 0: 'SQLite format 3\0' }],
  ];

const sum = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const texts: readonly [name: string, text: string][] = [
  ['empty', ''],
  ['torrent', 'd8:announce35:https://torrent.example.org/announcee'],
  ['lfs', `version https://git-lfs.github.com/spec/v1\noid sha256:${sum}\nsize 4294967296\n`],
  ['page', '<!DOCTYPE html><html>Please sign in'],
  ['page-comment', '<!-- cached -->\n<html><body>Please sign in'],
  ['page-mark', '\u{feff}<html><head><title>Not found'],
  ['s3-error', '<?xml version="1.0"?>\n<Error><Code>AccessDenied</Code></Error>'],
  ['s3-error-bare', '<Error><Code>NoSuchKey</Code></Error>'],
  ['json', '{"error": "not found"}'],
  ['json-list', '[{"name": "debian"}]'],
  ['sums', `${sum}  debian.iso\n`],
  ['sums-bsd', `SHA256 (debian.iso) = ${sum}\n`],
  ['sums-signed', `-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n${sum} *debian.iso\n`],
  ['signature', '-----BEGIN PGP SIGNATURE-----\n\niQ=\n'],
  ['cue', 'FILE "disc.bin" BINARY\n  TRACK 01 MODE1/2352\n'],
  ['script', '#!/bin/sh\necho install\n'],
];

/** Files that are no disks. */
export async function makeNonImages({ at, add, write }: Maker): Promise<void> {
  await writeFile(at('.disk'), bytesWith(65_536, { 510: hex('55aa') }));
  const packers: [name: string, program: string, ...args: string[]][] = [
    ['gz', 'gzip', '-k'],
    ['xz', 'xz', '-k'],
    ['lzma', 'xz', '-k', '--format=lzma'],
    ['zst', 'zstd', '-q', '-k'],
    ['bz2', 'bzip2', '-k'],
    ['lz4', 'lz4', '-q', '-k'],
  ];
  for (const [name, program, ...args] of packers) {
    const command = `${program} ${args.join(' ')} -c "$0" > "$1"`;
    await tool('sh', '-c', command, at('.disk'), at(`n-${name}`));
    add(`n-${name}`, packed);
  }
  await tool('tar', '--format=ustar', '-cf', at('n-tar'), '-C', at('.'), '.disk');
  add('n-tar', packed);
  for (const [name, verdict, parts] of signed) await write(`n-${name}`, verdict, bytesWith(65_536, parts));
  for (const [name, text] of texts) await write(`n-${name}`, alien, text);
}
