import { execFileSync } from 'node:child_process';
import { rmSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createWriter } from '../../../packages/server/src/machines/hypervisor/guest.testkit.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GiB, MiB } from '../../kit/images.ts';
import { driverSkipReason, startMachineHost } from '../../kit/machine-host.ts';
import type { MachineHost } from '../../kit/machine-host.ts';
import { registerImage, waitForState } from '../../kit/operations.ts';
import { powerOffMachines } from '../../kit/machines.ts';
import { until } from '../../kit/poll.ts';

const refusal = process.getuid?.() === 0 ? driverSkipReason('libvirt') : 'a small file system needs root';
if (refusal !== null) console.log(`skipped: ${refusal}`);

describe.skipIf(refusal !== null)('SH2: a guest of libvirt that fills its disk', () => {
  let host: MachineHost;
  let pool: string;
  const freeBytes = (): number => {
    const { bavail, bsize } = statfsSync(pool);
    return bavail * bsize;
  };

  beforeAll(async () => {
    host = await startMachineHost('libvirt', {
      args: ['--emergency-floor', String(20 * MiB)],
      prepare(home) {
        pool = join(home, 'pool');
        const { uid, gid } = statSync(pool);
        const options = `size=160m,mode=700,uid=${uid},gid=${gid}`;
        execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', pool]);
      },
    });
  });
  afterAll(async () => {
    await powerOffMachines(host.server);
    execFileSync('umount', ['-l', pool]);
    await host.close();
  });

  async function waitForPause(id: number): Promise<void> {
    await until(async () => (await host.server.api.vm(id)).stateReason?.code === 'emergency_floor', {
      what: 'wcc to pause the machine',
      timeoutMs: 120_000,
    });
  }

  it('SH2: is paused while there is still free space, and resumes by itself', async () => {
    const { api } = host.server;
    writeFileSync(join(pool, 'writer.raw'), Buffer.concat([createWriter(), Buffer.alloc(MiB - 512)]));
    const { id: image } = await registerImage(host.server, 'writer.raw');
    const ballast = join(pool, '.ballast');
    writeFileSync(ballast, Buffer.alloc(freeBytes() - 60 * MiB, 1));
    const order = { name: 'writer', cpus: 1, image, sizeBytes: 10 * GiB, memoryBytes: 32 * MiB };
    const { operation } = await api.quickCreateVm(order);
    const { result } = await waitForState(host.server, operation.id, { states: ['succeeded'] });
    const id = Number(result?.id);
    await waitForPause(id);
    expect(freeBytes()).toBeGreaterThan(0);
    await expect(api.orderVm(id, 'start')).rejects.toMatchObject({ code: 'no_space' });
    rmSync(ballast);
    const before = freeBytes();
    await until(() => freeBytes() < before - 10 * MiB, {
      what: 'the guest to write again',
      timeoutMs: 120_000,
    });
    await waitForPause(id);
  });
});
