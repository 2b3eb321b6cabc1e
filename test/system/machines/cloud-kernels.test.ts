import { chownSync, copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MiB } from '../../kit/images.ts';
import { writeBootDisk } from '../../kit/debian/boot-disk.ts';
import { debianSkipReason } from '../../kit/debian/rootfs.ts';
import { driverSkipReason, startMachineHost } from '../../kit/machine-host.ts';
import type { Driver, MachineHost } from '../../kit/machine-host.ts';
import { registerImage, waitForState } from '../../kit/operations.ts';
import { rawRequest } from '../../kit/network/raw-http.ts';
import { until } from '../../kit/poll.ts';

/** Boots the cloud kernel and the full kernel of Debian, which print the seed that they see on the serial port. */
const kernels = ['cloud', 'full'] as const;
const bootMs = 600_000;

describe.each<Driver>(['qemu', 'libvirt'])('V1: the seed of a machine of %s', (driver) => {
  const refusal = debianSkipReason() ?? driverSkipReason(driver);
  if (refusal !== null) console.log(`skipped: ${refusal}`);
  describe.skipIf(refusal !== null)('with kernels of Debian', () => {
    let host: MachineHost;
    const images = new Map<string, number>();

    beforeAll(async () => {
      const directory = process.env['WCC_DEBIAN_DIR'] ?? '';
      mkdirSync(directory, { recursive: true });
      for (const kernel of kernels) writeBootDisk(directory, kernel, join(directory, `boot-${kernel}.img`));
      host = await startMachineHost(driver);
      for (const kernel of kernels) {
        const path = join(host.home, 'pool', `${kernel}.img`);
        copyFileSync(join(directory, `boot-${kernel}.img`), path);
        if (driver === 'libvirt' && process.getuid?.() === 0) chownSync(path, 65_534, 65_534);
        images.set(kernel, (await registerImage(host.server, `${kernel}.img`)).id);
      }
    }, 1_800_000);
    afterAll(() => host.close());

    const cases = kernels.flatMap((kernel) => [
      { kernel, firmware: 'bios' as const, cdBus: 'scsi' as const, sees: true },
      { kernel, firmware: 'uefi' as const, cdBus: 'scsi' as const, sees: true },
      { kernel, firmware: 'bios' as const, cdBus: 'sata' as const, sees: kernel === 'full' },
    ]);

    it.each(cases)(
      'the $kernel kernel with $firmware on $cdBus: seen $sees',
      async ({ kernel, firmware, cdBus, sees }) => {
        const { server } = host;
        const name = `${kernel}-${firmware}-${cdBus}`;
        const body = {
          name,
          cpus: 1,
          memoryBytes: 512 * MiB,
          disks: [{ kind: 'copy' as const, image: images.get(kernel) ?? 0 }],
          firmware,
          cdBus,
          network: { kind: 'none' as const, name: null },
          firstBoot: { user: 'me' },
        };
        const { operation } = await server.api.createVm(body, name);
        await waitForState(server, operation.id, { states: ['succeeded'], timeoutMs: bootMs });
        const vm = (await server.api.vms()).items.find((one) => one.name === name)!;
        const headers = { authorization: `Bearer ${server.token}` };
        const line = await until(
          async () => {
            const { text } = await rawRequest(`${server.baseUrl}/api/vms/${vm.id}/serial`, { headers });
            return /KERNEL \S+ SEED (.*) END/.exec(text)?.[1] ?? null;
          },
          { what: `${name} to print its seed`, timeoutMs: bootMs, everyMs: 1000 },
        );
        if (sees) expect(line).toContain(vm.uuid);
        else expect(line).toBe('no');
        console.log(`${driver} ${name}: ${line}`);
      },
      bootMs * 2,
    );
  });
});
