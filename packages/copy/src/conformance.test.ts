import { tmpdir } from 'node:os';
import { support } from '@wcc/copy';
import { afterAll, beforeAll, describe } from 'vitest';
import { copyConformance } from './testkit/conformance.testkit.ts';
import { mountFresh, whyNoMounts } from './testkit/mounts.testkit.ts';
import type { Mounted } from './testkit/mounts.testkit.ts';
import { isSkipped } from './testkit/skip.testkit.ts';

const paths = support().available ? (['auto', 'off'] as const) : (['off'] as const);
if (paths.length === 1) console.warn(`kernel path skipped: ${support().why}`);

for (const native of paths) {
  copyConformance(`temporary directory, kernel calls ${native}`, () => ({
    directory: tmpdir,
    options: { native },
  }));
}

for (const type of ['xfs', 'btrfs'] as const) {
  describe(type, () => {
    if (isSkipped(whyNoMounts(type))) return;
    let mounted: Mounted | null = null;
    beforeAll(() => {
      mounted = mountFresh(type, 512);
    });
    afterAll(() => mounted?.unmount());
    for (const native of paths) {
      copyConformance(`kernel calls ${native}`, () => ({
        directory: () => mounted?.directory ?? tmpdir(),
        options: { native },
      }));
    }
  });
}
