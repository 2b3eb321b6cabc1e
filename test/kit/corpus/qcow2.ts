import { stat, writeFile } from 'node:fs/promises';
import { tool } from './member.ts';
import type { Maker, Verdict } from './member.ts';

const [accepted, damaged, hostile, unsupported] = [
  'qcow2',
  'damaged_image',
  'hostile_image',
  'unsupported_format',
] as const;

/** Images that qemu-img makes: name, verdict, options of `create`, size. */
const made: readonly [name: string, verdict: Verdict, options: string, size: string][] = [
  ['v2', accepted, 'compat=0.10', '1M'],
  ['v3', accepted, 'compat=1.1', '1M'],
  ['no-size', accepted, 'compat=1.1', '0'],
  ['large', accepted, 'compat=1.1', '2T'],
  ['lazy', accepted, 'lazy_refcounts=on', '1M'],
  ['wide', accepted, 'extended_l2=on', '1M'],
  ['zstd-clusters', accepted, 'compression_type=zstd', '1M'],
  ['metadata', accepted, 'preallocation=metadata', '1M'],
  ['small-clusters', accepted, 'cluster_size=512', '1M'],
  ['large-clusters', accepted, 'cluster_size=2M', '1M'],
  ['one-bit', accepted, 'refcount_bits=1', '1M'],
  ['wide-counts', accepted, 'refcount_bits=64', '1M'],
];

/** Changes of the header by QEMU's docs/interop/qcow2.txt: name, verdict, bytes in hex by offset. */
const changed: readonly [name: string, verdict: Verdict, bytes: Readonly<Record<number, string>>][] = [
  ['odd-size', accepted, { 24: '00000000000fff01' }],
  ['dirty', accepted, { 72: '0000000000000001' }],
  ['backing-no-name', accepted, { 8: '0000000000000200', 16: '00000000' }],
  ['backing-name', hostile, { 8: '0000000000000200', 16: '0000000b', 512: '2f6574632f706173737764' }],
  ['data-bit', hostile, { 72: '0000000000000004' }],
  ['corrupt-bit', damaged, { 72: '0000000000000002' }],
  ['unknown-bit', unsupported, { 72: '0000000000000100' }],
  ['aes', unsupported, { 32: '00000001' }],
  ['luks', unsupported, { 32: '00000002' }],
  ['version-0', unsupported, { 4: '00000000' }],
  ['version-4', unsupported, { 4: '00000004' }],
  ['clusters-8', damaged, { 20: '00000008' }],
  ['clusters-22', damaged, { 20: '00000016' }],
  ['clusters-max', damaged, { 20: 'ffffffff' }],
  ['header-short', damaged, { 100: '00000060' }],
  ['header-odd', damaged, { 100: '00000069' }],
  ['header-long', damaged, { 100: '00100000' }],
  ['count-width-7', damaged, { 96: '00000007' }],
  ['count-width-63', damaged, { 96: '0000003f' }],
  ['l1-absurd', damaged, { 36: 'ffffffff' }],
  ['l1-small', damaged, { 24: '0000010000000000' }],
  ['l1-unaligned', damaged, { 40: '0000000000000123' }],
  ['l1-beyond', damaged, { 40: '0000000100000000' }],
  ['counts-absurd', damaged, { 56: 'ffffffff' }],
  ['counts-beyond', damaged, { 48: '0000000100000000' }],
  ['snapshots-absurd', damaged, { 60: 'ffffffff' }],
  ['snapshots-beyond', damaged, { 60: '00000001', 64: '0000000100000000' }],
  ['size-absurd', damaged, { 24: '7fffffffffffffff' }],
];

const clusterBytes = 65_536;
/** Where `qemu-img` puts the first block of reference counts. */
const countsAt = 2 * clusterBytes;

export async function makeQcow2Variants({ at, add, change }: Maker, disk: string): Promise<void> {
  const create = (name: string, options: string, size: string): Promise<void> =>
    tool('qemu-img', 'create', '-q', '-f', 'qcow2', '-o', options, at(name), size);
  for (const [name, verdict, options, size] of made) {
    await create(`q-${name}`, options, size);
    add(`q-${name}`, verdict);
  }
  await tool('qemu-img', 'convert', '-f', 'raw', '-O', 'qcow2', disk, at('q-full'));
  add('q-full', accepted);
  await tool('qemu-img', 'convert', '-c', '-f', 'raw', '-O', 'qcow2', disk, at('q-compressed'));
  add('q-compressed', accepted);
  await create('q-snapshot', 'compat=1.1', '1M');
  await tool('qemu-img', 'snapshot', '-c', 'one', at('q-snapshot'));
  add('q-snapshot', accepted);
  const from = at('q-v3');
  for (const [name, verdict, bytes] of changed) await change(`q-${name}`, verdict, { from, bytes });
  const { size } = await stat(at('q-full'));
  for (const length of [50, 100, 104, 70_000, size - 128 * 1024])
    await change(`q-cut-${length}`, damaged, { from: at('q-full'), length });
  // A count of a cluster beyond the end, as a crash of the host leaves it. QEMU never reads that cluster.
  const place = countsAt + 2 * (size / clusterBytes + 3);
  await change('q-counted-only', accepted, { from: at('q-full'), bytes: { [place]: '0001' } });
  await tool('qemu-img', 'convert', '-O', 'qcow2', '-o', 'refcount_bits=1', '-f', 'raw', disk, at('q-bits'));
  add('q-bits', accepted);
  const withoutTwo = (await stat(at('q-bits'))).size - 2 * clusterBytes;
  await change('q-bits-cut', damaged, { from: at('q-bits'), length: withoutTwo });
  const withoutOne = (await stat(at('q-compressed'))).size - clusterBytes;
  await change('q-compressed-cut', damaged, { from: at('q-compressed'), length: withoutOne });
  await writeFile(at('.base'), Buffer.alloc(65_536));
  await tool('qemu-img', 'create', '-q', '-f', 'qcow2', '-b', at('.base'), '-F', 'raw', at('q-overlay'));
  add('q-overlay', hostile);
}
