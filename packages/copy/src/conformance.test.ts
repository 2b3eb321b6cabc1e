import { tmpdir } from 'node:os';
import { kernelSupport } from '@wcc/copy';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { copyConformance } from './testkit/conformance.testkit.ts';
import { mountFresh, whyNoMounts } from './testkit/mounts.testkit.ts';
import type { Mounted } from './testkit/mounts.testkit.ts';

const paths = kernelSupport().available ? (['auto', 'off'] as const) : (['off'] as const);
if (paths.length === 1) console.warn(`kernel path skipped: ${kernelSupport().why}`);

for (const kernelCalls of paths) {
  copyConformance(`temporary directory, kernel calls ${kernelCalls}`, () => ({
    directory: tmpdir,
    options: { kernelCalls },
  }));
}

for (const type of ['xfs', 'btrfs'] as const) {
  const reason = whyNoMounts(type);
  if (reason !== null) {
    it.skip(`${type} (${reason})`);
    console.warn(`skipped: ${reason}`);
    continue;
  }
  describe(type, () => {
    let mounted: Mounted | null = null;
    beforeAll(() => {
      mounted = mountFresh(type, 512);
    });
    afterAll(() => mounted?.unmount());
    for (const kernelCalls of paths) {
      copyConformance(`kernel calls ${kernelCalls}`, () => ({
        directory: () => mounted?.directory ?? tmpdir(),
        options: { kernelCalls },
      }));
    }
  });
}
