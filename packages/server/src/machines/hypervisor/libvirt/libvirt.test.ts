import { join } from 'node:path';
import { afterAll, beforeAll, vi } from 'vitest';
import type { Hypervisor } from '../../hypervisor.ts';
import { hypervisorConformance } from '../conformance.testkit.ts';
import { createLibvirtDriver } from './driver.ts';
import type { LibvirtSession } from './session.testkit.ts';
import { startSession } from './session.testkit.ts';

/** For a child process: Node 20 does not run TypeScript. */
const builtDriver = new URL('../../../../dist/machines/hypervisor/libvirt/driver.js', import.meta.url).href;

// These timeouts are long, because real machines run on a host that may be busy.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

hypervisorConformance('libvirt', () => {
  let session: LibvirtSession;
  let hypervisor: Hypervisor;
  const errors: unknown[] = [];
  const create = async (): Promise<Hypervisor> => {
    hypervisor = await createLibvirtDriver({
      dir: join(session.home, 'wcc'),
      connection: session.connection,
      onError: (error) => errors.push(error),
    });
    return hypervisor;
  };
  beforeAll(async () => {
    session = await startSession();
    await create();
  });
  afterAll(async () => {
    for (const { uuid, foreign } of await hypervisor.list()) if (!foreign) await hypervisor.powerOff(uuid);
    await hypervisor.close();
    await session.close();
    if (errors.length > 0) throw errors[0];
  });
  return {
    hypervisor: () => hypervisor,
    directory: () => session.home,
    machinesDirectory: () => join(session.home, 'wcc', 'machines'),
    moduleText: () => `
      import { createLibvirtDriver } from ${JSON.stringify(builtDriver)};
      const options = ${JSON.stringify({ dir: join(session.home, 'wcc'), connection: session.connection })};
      const hypervisor = await createLibvirtDriver({ ...options, onError: console.error });`,
    renew: async () => {
      await hypervisor.close();
      return create();
    },
  };
});
