import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, vi } from 'vitest';
import type { Hypervisor } from '../../hypervisor.ts';
import { hypervisorConformance } from '../conformance.testkit.ts';
import { createQemuDriver } from './driver.ts';

/** For a child process: Node 20 does not run TypeScript. */
const builtDriver = new URL('../../../../dist/machines/hypervisor/qemu/driver.js', import.meta.url).href;

// These timeouts are long, because real machines run on a host that may be busy.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

hypervisorConformance('qemu', () => {
  let home = '';
  let hypervisor: Hypervisor;
  const errors: unknown[] = [];
  const create = async (): Promise<Hypervisor> => {
    hypervisor = await createQemuDriver({ dir: join(home, 'qemu'), onError: (error) => errors.push(error) });
    return hypervisor;
  };
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'wcc-machines-'));
    await create();
  });
  afterAll(async () => {
    for (const { uuid } of await hypervisor.list()) await hypervisor.powerOff(uuid);
    await hypervisor.close();
    await rm(home, { recursive: true });
    if (errors.length > 0) throw errors[0];
  });
  return {
    hypervisor: () => hypervisor,
    directory: () => home,
    machinesDirectory: () => join(home, 'qemu', 'machines'),
    moduleText: () => `
      import { createQemuDriver } from ${JSON.stringify(builtDriver)};
      const options = ${JSON.stringify({ dir: join(home, 'qemu') })};
      const hypervisor = await createQemuDriver({ ...options, onError: console.error });`,
    renew: async () => {
      await hypervisor.close();
      return create();
    },
  };
});
