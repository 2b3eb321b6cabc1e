import { expect, it } from 'vitest';
import { judgeHead } from './judge.ts';

const nameAt = 112;

/** The start of an overlay whose header names a base. */
function overlayOf(base: string): Buffer {
  const head = Buffer.alloc(512);
  head.write('QFI\u00fb', 0, 'latin1');
  head.writeUInt32BE(3, 4);
  head.writeUInt32BE(104, 100);
  head.writeBigUInt64BE(BigInt(nameAt), 8);
  head.writeUInt32BE(head.write(base, nameAt), 16);
  return head;
}

it('an overlay may name its base only as QEMU reads the name, in any directory', () => {
  const judge = (base: string): string | undefined =>
    judgeHead(overlayOf(base), { sizeBytes: null, baseName: 'base' })?.reason;
  for (const other of [
    '/pool/base2',
    '\u{feff}/pool/base',
    '/pool/base\0',
    'json:{}',
    'base',
    'nbd://host/base',
  ])
    expect(judge(other), other).toBe('backing_file');
  // The name is accepted, and the next check finds that the header has no clusters.
  for (const ours of ['/pool/base', '/moved/pool/base']) expect(judge(ours), ours).toBe('malformed_qcow2');
});
