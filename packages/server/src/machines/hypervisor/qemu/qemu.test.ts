import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import type { Hypervisor } from '../../hypervisor.ts';
import { hypervisorConformance } from '../conformance.testkit.ts';
import { createQemuDriver } from './driver.ts';

hypervisorConformance('qemu', () => {
  let home = '';
  let hypervisor: Hypervisor;
  const errors: unknown[] = [];
  const make = async (): Promise<Hypervisor> => {
    hypervisor = await createQemuDriver({ dir: join(home, 'qemu'), onError: (error) => errors.push(error) });
    return hypervisor;
  };
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'wcc-machines-'));
    await make();
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
    renew: async () => {
      await hypervisor.close();
      return make();
    },
  };
});
