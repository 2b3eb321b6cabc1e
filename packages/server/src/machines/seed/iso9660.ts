/** A small file in the root directory of the volume. */
export interface VolumeFile {
  name: string;
  content: Buffer;
}

const sectorBytes = 2048;
/** Sectors 0 to 15 belong to the system and stay empty. */
const firstDescriptor = 16;
const pathTableBytes = 10;

/** The sectors of the volume: two trees (plain and Joliet) that share the files' contents. */
interface Layout {
  plain: Tree;
  joliet: Tree;
  files: { file: VolumeFile; sector: number }[];
  sectors: number;
}

interface Tree {
  littleTable: number;
  bigTable: number;
  root: number;
}

/**
 * An ISO 9660 volume with a Joliet tree, enough for a NoCloud seed: a few files in the root directory. Only Joliet
 * can store their names (`meta-data`). Own code, because not every host has a tool for it.
 *
 * Sources: ECMA-119 (sections named below), Joliet Specification 1995.
 */
export function writeVolume(label: string, files: readonly VolumeFile[], at: Date = new Date()): Buffer {
  const layout = planLayout(files);
  const volume = Buffer.alloc(layout.sectors * sectorBytes);
  const put = (sector: number, bytes: Buffer): void => void bytes.copy(volume, sector * sectorBytes);
  const names = { plain: plainName, joliet: jolietName };
  put(firstDescriptor, describe(layout, { label, isJoliet: false, at }));
  put(firstDescriptor + 1, describe(layout, { label, isJoliet: true, at }));
  put(firstDescriptor + 2, terminator());
  for (const kind of ['plain', 'joliet'] as const) {
    const tree = layout[kind];
    put(tree.littleTable, pathTable(tree.root, false));
    put(tree.bigTable, pathTable(tree.root, true));
    put(tree.root, directory(layout, tree.root, { name: names[kind], at }));
  }
  for (const { file, sector } of layout.files) put(sector, file.content);
  return volume;
}

function planLayout(files: readonly VolumeFile[]): Layout {
  let next = firstDescriptor + 3;
  const tree = (): Tree => ({ littleTable: next++, bigTable: next++, root: next++ });
  const [plain, joliet] = [tree(), tree()];
  // 6.8.1.1 requires entries in the order of their names.
  const sorted = [...files].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const placed = sorted.map((file) => {
    const sector = next;
    next += Math.max(1, Math.ceil(file.content.length / sectorBytes));
    return { file, sector };
  });
  return { plain, joliet, files: placed, sectors: next };
}

/** Numbers are stored in both byte orders (7.2.3, 7.3.3). */
function both16(bytes: Buffer, value: number, at: number): void {
  bytes.writeUInt16LE(value, at);
  bytes.writeUInt16BE(value, at + 2);
}

function both32(bytes: Buffer, value: number, at: number): void {
  bytes.writeUInt32LE(value, at);
  bytes.writeUInt32BE(value, at + 4);
}

interface Description {
  label: string;
  isJoliet: boolean;
  at: Date;
}

/** The volume descriptor: 8.4, and 8.5 for Joliet. */
function describe(layout: Layout, { label, isJoliet, at }: Description): Buffer {
  const bytes = Buffer.alloc(sectorBytes);
  const tree = isJoliet ? layout.joliet : layout.plain;
  const text = (value: string, from: number, length: number): void => {
    const blank = isJoliet ? toUtf16(' '.repeat(length >> 1)) : Buffer.alloc(length, ' ');
    blank.copy(bytes, from);
    (isJoliet ? toUtf16(value) : Buffer.from(value, 'ascii')).copy(bytes, from, 0, length);
  };
  bytes[0] = isJoliet ? 2 : 1;
  bytes.write('CD001', 1, 'ascii');
  bytes[6] = 1;
  text('', 8, 32);
  text(label, 40, 32);
  both32(bytes, layout.sectors, 80);
  // Joliet, level 3: UCS-2 in names.
  if (isJoliet) bytes.write('%/E', 88, 'ascii');
  both16(bytes, 1, 120);
  both16(bytes, 1, 124);
  both16(bytes, sectorBytes, 128);
  both32(bytes, pathTableBytes, 132);
  bytes.writeUInt32LE(tree.littleTable, 140);
  bytes.writeUInt32BE(tree.bigTable, 148);
  record({ name: Buffer.from([0]), sector: tree.root, length: sectorBytes, isDirectory: true, at }).copy(
    bytes,
    156,
  );
  for (const from of [190, 318, 446, 574]) text('', from, 128);
  for (const from of [702, 739, 776]) text('', from, 37);
  for (const from of [813, 830]) longTime(at).copy(bytes, from);
  for (const from of [847, 864]) bytes.write('0'.repeat(16), from, 'ascii');
  bytes[881] = 1;
  return bytes;
}

/** 8.3 */
function terminator(): Buffer {
  const bytes = Buffer.alloc(sectorBytes);
  bytes[0] = 255;
  bytes.write('CD001', 1, 'ascii');
  bytes[6] = 1;
  return bytes;
}

/** The path table (9.4) with one directory, the root. */
function pathTable(root: number, isBig: boolean): Buffer {
  const bytes = Buffer.alloc(pathTableBytes);
  bytes[0] = 1;
  if (isBig) {
    bytes.writeUInt32BE(root, 2);
    bytes.writeUInt16BE(1, 6);
  } else {
    bytes.writeUInt32LE(root, 2);
    bytes.writeUInt16LE(1, 6);
  }
  return bytes;
}

function directory(
  { files }: Layout,
  root: number,
  { name, at }: { name: (file: string) => Buffer; at: Date },
): Buffer {
  const self = { sector: root, length: sectorBytes, isDirectory: true, at };
  const entries = [
    record({ name: Buffer.from([0]), ...self }),
    record({ name: Buffer.from([1]), ...self }),
    ...files.map(({ file, sector }) =>
      record({ name: name(file.name), sector, length: file.content.length, isDirectory: false, at }),
    ),
  ];
  const bytes = Buffer.concat(entries);
  if (bytes.length > sectorBytes) throw new RangeError('too many files for one directory sector');
  return bytes;
}

interface Entry {
  name: Buffer;
  sector: number;
  length: number;
  isDirectory: boolean;
  at: Date;
}

/** A directory record (9.1), padded to an even length. */
function record({ name, sector, length, isDirectory, at }: Entry): Buffer {
  const size = 33 + name.length + (name.length % 2 === 0 ? 1 : 0);
  const bytes = Buffer.alloc(size);
  bytes[0] = size;
  both32(bytes, sector, 2);
  both32(bytes, length, 10);
  const time = [at.getUTCFullYear() - 1900, at.getUTCMonth() + 1, at.getUTCDate()];
  Buffer.from([...time, at.getUTCHours(), at.getUTCMinutes(), at.getUTCSeconds(), 0]).copy(bytes, 18);
  bytes[25] = isDirectory ? 2 : 0;
  both16(bytes, 1, 28);
  bytes[32] = name.length;
  name.copy(bytes, 33);
  return bytes;
}

/** 8.4.26.1 */
function longTime(at: Date): Buffer {
  return Buffer.from(`${at.toISOString().replaceAll(/\D/g, '').slice(0, 16)}\0`, 'ascii');
}

/** Only A to Z, digits and underscore are allowed (7.4.1): `META_DAT.;1`. Guests read the Joliet tree. */
function plainName(name: string): Buffer {
  const stem = name
    .toUpperCase()
    .replaceAll(/[^A-Z0-9_]/g, '_')
    .slice(0, 8);
  return Buffer.from(`${stem}.;1`, 'ascii');
}

function jolietName(name: string): Buffer {
  return toUtf16(name);
}

/** UCS-2, big-endian. */
function toUtf16(text: string): Buffer {
  return Buffer.from(text, 'utf16le').swap16();
}
