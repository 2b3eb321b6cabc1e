import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startCopy, inspectFile, support } from '@wcc/copy';
import { describe, expect, it } from 'vitest';
import { expectEqualFiles, kib, mib, useDirectory, writeLayout } from '../testkit/files.testkit.ts';
import { createWindowSize } from './window-size.ts';

describe('window sizes', () => {
  it('windows grow on fast storage and shrink on slow storage, within bounds', () => {
    const sizes = createWindowSize();
    expect(sizes.next(null)).toBe(16 * mib);
    sizes.learn(5);
    expect(sizes.next(null)).toBe(32 * mib);
    for (let round = 0; round < 10; round += 1) sizes.learn(5);
    expect(sizes.next(null)).toBe(256 * mib);
    sizes.learn(75);
    expect(sizes.next(null)).toBe(256 * mib);
    sizes.learn(150);
    expect(sizes.next(null)).toBe(128 * mib);
    for (let round = 0; round < 10; round += 1) sizes.learn(10_000);
    expect(sizes.next(null)).toBe(mib);
  });

  it('windows are at most a quarter of the bytes allowed per second', () => {
    const sizes = createWindowSize();
    expect(sizes.next(8 * mib)).toBe(2 * mib);
    expect(sizes.next(1)).toBe(4096);
    expect(sizes.next(1e12)).toBe(16 * mib);
  });
});

describe('transfer options', () => {
  const dir = useDirectory();
  const at = (name: string): string => join(dir(), name);

  it('detectZeros leaves holes for pages of zeros', async () => {
    const half = Buffer.alloc(mib, 7);
    writeFileSync(at('zeros'), Buffer.concat([half, Buffer.alloc(2 * mib), half, Buffer.alloc(5000)]));
    const options = { method: 'copy', detectZeros: true, native: 'off' } as const;
    const { bytes } = await startCopy(at('zeros'), at('zeros-copy'), options).done;
    // the last 904 bytes are less than a page, and also zeros
    expect(bytes).toMatchObject({ virtual: 4 * mib + 5000, written: 2 * mib, skipped: 2 * mib + 5000 });
    expectEqualFiles(at('zeros'), at('zeros-copy'));
    expect((await inspectFile(at('zeros-copy'))).dataBytes).toBeLessThanOrEqual(2 * mib);
  });

  it('preallocate allocates the blocks first, and warns without kernel calls', async () => {
    writeLayout(at('pieces'), [
      { gapBytes: 64 * kib, dataBytes: 128 * kib },
      { gapBytes: mib, dataBytes: 256 * kib },
    ]);
    const { warnings } = await startCopy(at('pieces'), at('pieces-copy'), {
      method: 'copy',
      preallocate: true,
    }).done;
    expect(warnings).toEqual(support().available ? [] : ['preallocation_needs_kernel_calls']);
    expectEqualFiles(at('pieces'), at('pieces-copy'));
    const without = { method: 'copy', preallocate: true, native: 'off' } as const;
    const fallback = await startCopy(at('pieces'), at('pieces-off'), without).done;
    expect(fallback.warnings).toEqual(['preallocation_needs_kernel_calls']);
    expectEqualFiles(at('pieces'), at('pieces-off'));
  });

  it('copyFile copies many small extents to their offsets', async () => {
    const pieces = Array.from({ length: 600 }, () => ({ gapBytes: 8 * kib, dataBytes: 4 * kib }));
    writeLayout(at('crumbs'), pieces);
    const result = await startCopy(at('crumbs'), at('crumbs-copy'), { method: 'copy', verify: true }).done;
    expect(result.bytes.data).toBe(600 * 4 * kib);
    expectEqualFiles(at('crumbs'), at('crumbs-copy'));
  });
});
