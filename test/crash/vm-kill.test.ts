import { existsSync, readdirSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Operation } from '@wcc/api';
import { ApiProblem } from '@wcc/api/client';
import { makeRandomImage, MiB } from '../kit/images.ts';
import { driverSkipReason, startMachineHost } from '../kit/machine-host.ts';
import type { Driver, MachineHost } from '../kit/machine-host.ts';
import { expectNoOrphans, hasEnded, listImages, registerImage } from '../kit/operations.ts';
import { until } from '../kit/poll.ts';
import { createRandom, seedOfRun } from '../kit/random.ts';
import type { TestServer } from '../kit/server.ts';

/**
 * Kills the server by SIGKILL at random moments of `create_vm`. After the restart there is a complete machine, or no
 * trace of one. `WCC_CRASH_ROUNDS` sets the number of rounds, as for copies.
 */
const rounds = Number.parseInt(
  process.env['WCC_VM_CRASH_ROUNDS'] ?? process.env['WCC_CRASH_ROUNDS'] ?? '4',
  10,
);
const random = createRandom(seedOfRun());

const secret = '$6$salt$a-hash-that-must-not-stay';

/** A round with libvirt is slow, so libvirt gets a quarter of the rounds. */
const roundsWith: Readonly<Record<Driver, number>> = { qemu: rounds, libvirt: Math.ceil(rounds / 4) };

describe.each<Driver>(['qemu', 'libvirt'])('with %s', (driver) => {
  const refusal = driverSkipReason(driver);
  if (refusal !== null) console.log(`skipped: SIGKILL of machines with ${driver}: ${refusal}`);
  describe.skipIf(refusal !== null)('create_vm under SIGKILL', () => {
    describeKills(driver);
  });
});

function describeKills(driver: Driver): void {
  let host: MachineHost;
  let server: TestServer;
  let imageId: number;
  const endings: string[] = [];

  beforeAll(async () => {
    console.log(`${driver}: ${roundsWith[driver]} rounds, WCC_SEED=${random.seed}`);
    host = await startMachineHost(driver);
    ({ server } = host);
    const name = 'template.raw';
    await makeRandomImage(join(server.poolDir, name), 48 * MiB);
    imageId = (await registerImage(server, name)).id;
  });

  afterAll(() => host.close());

  /** @returns the id of the operation; null if the server was killed before its answer */
  async function createMachine(name: string): Promise<string | null> {
    try {
      const { operation } = await server.api.createVm({
        name,
        cpus: 1,
        memoryBytes: 32 * MiB,
        disks: [
          { kind: 'copy', image: imageId, method: 'copy', sizeBytes: 64 * MiB },
          { kind: 'blank', sizeBytes: MiB, format: random.pick(['raw', 'qcow2'] as const) },
        ],
        firstBoot: { user: 'me', passwordHash: secret },
        start: true,
      });
      return operation.id;
    } catch (error) {
      if (!(error instanceof ApiProblem) || error.status !== 0) throw error;
      return null;
    }
  }

  async function waitForEnd(name: string): Promise<Operation | null> {
    return until(
      async () => {
        const { items } = await server.api.operations({ action: 'create_vm', limit: 200 });
        const found = items.find(({ subject }) => subject.name === name);
        if (found === undefined) return 'none' as const;
        return hasEnded(found) ? found : null;
      },
      { what: `the creation of ${name} to end`, timeoutMs: 90_000, everyMs: 50 },
    ).then((found) => (found === 'none' ? null : found));
  }

  /** The machine of this name, its images and its files. */
  async function tracesOf(name: string): Promise<string[]> {
    const vms = (await server.api.vms()).items.filter((vm) => vm.name === name);
    const images = (await listImages(server)).filter((image) => image.name.startsWith(`${name}-disk`));
    const files = readdirSync(server.poolDir).filter((file) => file.startsWith(`${name}-disk`));
    return [...vms.map(() => 'machine'), ...images.map(() => 'image'), ...files.map(() => 'file')];
  }

  async function countEnds({ id }: Operation): Promise<number> {
    const { items } = await server.api.operationLog(id);
    return items.filter(({ kind, text }) => kind === 'state' && /^(succeeded|failed|cancelled)/.test(text))
      .length;
  }

  function namesIn(directory: string): string[] {
    return existsSync(directory) ? readdirSync(directory) : [];
  }

  it.each(Array.from({ length: roundsWith[driver] }, (_, round) => ({ round })))(
    'creates a complete machine or none (round $round)',
    { timeout: 300_000 },
    async ({ round }) => {
      const name = `vm-${round}`;
      const cancels = random.next() < 0.4;
      const creating = createMachine(name);
      await sleep(random.integer(0, 1500));
      const cancelling = cancels
        ? creating.then((id) => (id === null ? null : server.api.cancel(id)))
        : creating;
      // The server may be killed before it answers, so any result is allowed.
      cancelling.catch(() => {});
      if (cancels) await sleep(random.integer(0, 120));
      await server.kill();
      const acknowledged = await creating;
      await server.start();
      const ended = await waitForEnd(name);
      if (acknowledged !== null) expect(ended?.id).toBe(acknowledged);
      endings.push(ended === null ? 'not accepted' : ended.state);
      const traces = await tracesOf(name);
      if (ended?.state === 'succeeded') {
        expect(traces.toSorted()).toEqual(['file', 'file', 'image', 'image', 'machine']);
        const vm = (await server.api.vms()).items.find((one) => one.name === name);
        expect(vm).toMatchObject({ state: 'running', operation: null });
        expect(namesIn(join(server.dataDir, 'seeds'))).toEqual([`${vm?.uuid}.iso`]);
        const { operation } = await server.api.deleteVm(vm?.id ?? 0, { disks: true });
        await until(async () => hasEnded(await server.api.operation(operation.id)), {
          what: 'the machine to be deleted',
          timeoutMs: 60_000,
        });
      } else {
        expect(['cancelled', undefined]).toContain(ended?.state);
      }
      if (ended !== null) expect(await countEnds(ended)).toBe(1);
      expect(await tracesOf(name)).toEqual([]);
      expect(namesIn(join(server.dataDir, 'seeds'))).toEqual([]);
      expect(namesIn(join(server.dataDir, 'machines', driver, 'machines'))).toEqual([]);
      expect(host.listDriverMachines()).toEqual([]);
      const [pool] = (await server.api.pools()).items;
      expect(pool?.reservedBytes).toBe(0);
    },
  );

  it('leaves no hidden file and no secret', { timeout: 90_000 }, async () => {
    console.log(`${driver}: ${endings.join(', ')}`);
    await expectNoOrphans(server.poolDir);
    for (const file of ['wcc.sqlite', 'wcc.sqlite-wal']) {
      const path = join(server.dataDir, file);
      if (!existsSync(path)) continue;
      const handle = await open(path);
      expect((await handle.readFile()).includes('a-hash-that-must-not-stay'), file).toBe(false);
      await handle.close();
    }
    expect(server.log()).not.toContain('a-hash-that-must-not-stay');
  });
}
