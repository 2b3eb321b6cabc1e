import { execFile } from 'node:child_process';
import { chownSync, readFileSync, writeFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Image } from '@wcc/api';
import { GiB, MiB } from '../../kit/images.ts';
import { driverSkipReason, startMachineHost } from '../../kit/machine-host.ts';
import type { Driver, MachineHost } from '../../kit/machine-host.ts';
import { hasEnded, registerImage } from '../../kit/operations.ts';
import { until } from '../../kit/poll.ts';

/**
 * Compares quick-create of a 40 GiB template with the same steps by hand, until the machine runs. By hand means
 * `qemu-img create -b`, then `qemu-system-x86_64 -daemonize` or `virsh define` and `virsh start`. Each round runs
 * both. `WCC_QUICK_ROUNDS=9` measures and prints the medians. The test asserts no time.
 */
const rounds = Number.parseInt(process.env['WCC_QUICK_ROUNDS'] ?? '1', 10);
const run = promisify(execFile);

describe.each<Driver>(['qemu', 'libvirt'])('with %s', (driver) => {
  const refusal = driverSkipReason(driver);
  if (refusal !== null) console.log(`skipped: ${refusal}`);
  describe.skipIf(refusal !== null)('quick-create', () => {
    describeQuickCreate(driver);
  });
});

function describeQuickCreate(driver: Driver): void {
  let host: MachineHost;
  let template: Image;
  const pool = (name: string): string => join(host.server.poolDir, name);

  beforeAll(async () => {
    host = await startMachineHost(driver);
    await run('qemu-img', ['create', '-q', '-f', 'qcow2', pool('template.qcow2'), '40G']);
    template = await registerImage(host.server, 'template.qcow2');
    await host.server.api.changeImage(template.id, { template: true });
    // The first request probes the host.
    await host.server.api.vms();
  });
  afterAll(() => host.close());

  async function byWcc(name: string): Promise<{ ms: number; id: number; uuid: string }> {
    const { api } = host.server;
    const startedAt = performance.now();
    const order = { name, cpus: 1, memoryBytes: 32 * MiB, image: template.id };
    const { operation } = await api.quickCreateVm(order);
    const { result } = await until(
      async () => {
        const now = await api.operation(operation.id);
        return hasEnded(now) ? now : null;
      },
      { what: 'the machine to run', everyMs: 5 },
    );
    const ms = performance.now() - startedAt;
    const { id, uuid, state, disks } = await api.vm(Number(result?.id));
    expect([state, disks[0]?.sizeBytes]).toEqual(['running', 40 * GiB]);
    return { ms, id: id ?? 0, uuid };
  }
  async function byHand(name: string, uuid: string): Promise<number> {
    const disk = join(host.home, `${name}.qcow2`);
    const below = ['-b', pool(template.name), '-F', 'qcow2'];
    const make = ['create', '-q', '-f', 'qcow2', ...below, disk];
    const xml = driver === 'libvirt' ? await likeOurs({ name, uuid, disk }) : null;
    const startedAt = performance.now();
    await run('/usr/bin/qemu-img', make);
    if (xml === null) await run('/usr/bin/qemu-system-x86_64', qemuArguments(name, disk));
    else {
      chownSync(disk, 65_534, 65_534);
      await host.virsh('define', xml);
      await host.virsh('start', name);
    }
    const ms = performance.now() - startedAt;
    if (xml === null) process.kill(Number(readFileSync(join(host.home, `${name}.pid`), 'utf8')), 'SIGKILL');
    else {
      await host.virsh('destroy', name);
      await host.virsh('undefine', name);
    }
    return ms;
  }
  function qemuArguments(name: string, disk: string): string[] {
    const at = (ending: string): string => join(host.home, `${name}.${ending}`);
    return [
      [
        '-name',
        name,
        '-machine',
        'q35,accel=tcg',
        '-cpu',
        'max',
        '-m',
        '32',
        '-nodefaults',
        '-display',
        'none',
      ],
      ['-device', 'VGA', '-vnc', `unix:${at('vnc')}`, '-qmp', `unix:${at('qmp')},server=on,wait=off`],
      [
        '-drive',
        `file=${disk},format=qcow2,if=virtio`,
        '-netdev',
        'user,id=n',
        '-device',
        'virtio-net,netdev=n',
      ],
      ['-pidfile', at('pid'), '-daemonize'],
    ].flat();
  }
  /** The libvirt definition that wcc wrote, changed for another machine. */
  async function likeOurs(other: { name: string; uuid: string; disk: string }): Promise<string> {
    const ours = await host.virsh('dumpxml', '--inactive', other.uuid);
    const xml = ours
      .replace(/<name>.*<\/name>/, `<name>${other.name}</name>`)
      .replace(/<uuid>.*<\/uuid>/, `<uuid>${randomUUID()}</uuid>`)
      .replace(/<metadata>.*<\/metadata>/s, '')
      .replace(/<source file='[^']*disk0[^']*'/, `<source file='${other.disk}'`);
    const path = join(host.home, `${other.name}.xml`);
    writeFileSync(path, xml, { mode: 0o644 });
    return path;
  }

  it(
    `quick-create and the same steps by hand both start a machine (${rounds} rounds)`,
    { timeout: 60_000 + rounds * 30_000 },
    async () => {
      const [ours, hand]: [number[], number[]] = [[], []];
      for (let round = 0; round < rounds; round += 1) {
        const made = await byWcc(`ours-${round}`);
        ours.push(made.ms);
        await host.server.api.orderVm(made.id, 'power-off');
        hand.push(await byHand(`hand-${round}`, made.uuid));
      }
      expect([ours.length, hand.length]).toEqual([rounds, rounds]);
      const [one, other] = [median(ours), median(hand)];
      const ratio = (one / other).toFixed(2);
      console.log(`${driver}: wcc ${describeTimes(ours)}, by hand ${describeTimes(hand)}: ${ratio} times`);
    },
  );
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}

function describeTimes(numbers: readonly number[]): string {
  const [low, mid, high] = [Math.min(...numbers), median(numbers), Math.max(...numbers)].map(Math.round);
  return `${mid} ms (${low} to ${high})`;
}
