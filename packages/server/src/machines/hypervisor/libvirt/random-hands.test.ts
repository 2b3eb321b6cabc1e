import { randomInt } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { Hypervisor, MachineStatus } from '../../hypervisor.ts';
import { MiB, writeDisk } from '../guest.testkit.ts';
import { HypervisorError } from '../hypervisor-error.ts';
import type { MachineSpec } from '../machine-spec.ts';
import { isOn } from '../run-state.ts';
import { compareDomains } from './domain-settings.ts';
import { createLibvirtDriver } from './driver.ts';
import { parseXml } from './parse-xml.ts';
import type { SharedMachine } from './second-hand.testkit.ts';
import { commitSnapshot, createShared, diskBytes, snapshot } from './second-hand.testkit.ts';
import type { LibvirtSession } from './session.testkit.ts';
import { startSession } from './session.testkit.ts';

/** Changes by `virsh`, and orders of wcc after each. The full number is 50 and 10. */
const rounds = Number(process.env['WCC_SECOND_HAND_ROUNDS'] ?? 4);
const orders = rounds > 4 ? 10 : 3;
const seed = Number(process.env['WCC_SEED'] ?? randomInt(2 ** 31));

vi.setConfig({ testTimeout: 120_000 + rounds * 120_000, hookTimeout: 180_000 });

/** mulberry32 */
function createRandom(start: number): (below: number) => number {
  let state = start;
  return (below) => {
    state = (state + 0x6d_2b_79_f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

let session: LibvirtSession;
let hypervisor: Hypervisor;
const errors: unknown[] = [];
beforeAll(async () => {
  session = await startSession();
  hypervisor = await createLibvirtDriver({
    dir: join(session.home, 'wcc'),
    connection: session.connection,
    onError: (error) => errors.push(error),
  });
});
afterAll(async () => {
  for (const { uuid } of await hypervisor.list()) await hypervisor.powerOff(uuid);
  await hypervisor.close();
  await session.close();
  if (errors.length > 0) throw errors[0];
});

const random = createRandom(seed);
const pick = <Item>(items: readonly Item[]): Item => items[random(items.length)]!;

interface World {
  machine: SharedMachine;
  /** What wcc has recorded: its rows. */
  row: MachineSpec;
  /** What a guest must read. */
  content: Buffer;
  iso: string;
  count: number;
}

const statusOf = async ({ row }: World): Promise<MachineStatus> => (await hypervisor.status(row.uuid))!;

async function createWorld(): Promise<World> {
  const machine = await createShared(session, hypervisor);
  const iso = join(session.home, `${machine.spec.uuid}.iso`);
  await writeFile(iso, Buffer.alloc(MiB), { mode: 0o644 });
  const world = { machine, row: machine.spec, content: Buffer.alloc(diskBytes), iso, count: 0 };
  await writeInGuest(world);
  return world;
}

/** Data of a guest: it is in the newest file of the disk. */
async function writeInGuest({ machine, content }: World): Promise<void> {
  const [pattern, offset] = [1 + random(255), random(diskBytes / 65_536) * 65_536];
  await machine.write(pattern, offset);
  content.fill(pattern, offset, offset + 65_536);
}

/** Changes by another program. libvirt refuses some of them in some states, which changes nothing. */
const hands: Readonly<Record<string, (world: World) => Promise<unknown>>> = {
  cpus: async ({ machine: { virsh, spec } }) => {
    const cpus = String(1 + random(4));
    await virsh.run('setvcpus', spec.uuid, cpus, '--maximum', '--config');
    await virsh.run('setvcpus', spec.uuid, cpus, '--config');
  },
  memory: ({ machine: { virsh, spec } }) =>
    virsh.run('setmaxmem', spec.uuid, `${32 + random(32)}M`, '--config'),
  title: ({ machine: { virsh, spec } }) =>
    virsh.run('desc', spec.uuid, '--title', '--config', `title ${random(1000)}`),
  rename: ({ machine: { virsh, spec } }) =>
    virsh.run('domrename', spec.uuid, `renamed-${spec.uuid.slice(0, 8)}-${random(1000)}`),
  snapshot: (world) => snapshot(world.machine, `s${(world.count += 1)}`),
  commit: ({ machine }) => commitSnapshot(machine),
  save: ({ machine: { virsh, spec } }) => virsh.run('managedsave', spec.uuid),
  attach: async ({ machine: { virsh, spec, directory } }) => {
    const path = join(directory, `${spec.uuid}-${random(1_000_000)}.img`);
    await writeDisk(path, []);
    await virsh.run('attach-disk', spec.uuid, path, pick(['vdc', 'vdd']), '--config');
  },
  detach: ({ machine: { virsh, spec } }) =>
    virsh.run('detach-disk', spec.uuid, pick(['vdc', 'vdd']), '--config'),
  disc: ({ machine: { virsh, spec }, iso }) =>
    virsh.run('change-media', spec.uuid, 'sda', '--update', '--source', iso, '--config'),
  card: ({ machine: { virsh, spec } }) =>
    virsh.run('attach-interface', spec.uuid, 'user', '--model', 'virtio', '--config'),
  start: ({ machine: { virsh, spec } }) => virsh.run('start', spec.uuid),
  pause: ({ machine: { virsh, spec } }) => virsh.run('suspend', spec.uuid),
  off: ({ machine: { virsh, spec } }) => virsh.run('destroy', spec.uuid),
};

/** Orders of wcc. An order that changes settings returns the new specification. */
const commands: Readonly<Record<string, (world: World) => Promise<MachineSpec | undefined | void>>> = {
  start: ({ row }) => hypervisor.start(row.uuid),
  powerOff: ({ row }) => hypervisor.powerOff(row.uuid),
  reset: ({ row }) => hypervisor.reset(row.uuid),
  pause: ({ row }) => hypervisor.pause(row.uuid),
  discard: ({ row }) => hypervisor.discardSavedState(row.uuid),
  cpus: ({ row }) => change({ ...row, cpus: 1 + random(4) }),
  memory: ({ row }) => change({ ...row, memoryBytes: (32 + random(32)) * MiB }),
  name: ({ row }) => change({ ...row, name: `wcc-${row.uuid.slice(0, 8)}-${random(1000)}` }),
  bootOrder: ({ row }) => change({ ...row, bootOrder: pick([['disk'], ['cdrom', 'disk']]) }),
  adopt: async (world) => {
    const { differences } = await statusOf(world);
    if (differences.some(({ adopt }) => adopt === null)) return undefined;
    const fields = differences.map(({ adopt }) => adopt);
    return change(Object.assign({}, world.row, ...fields) as MachineSpec);
  },
  async disk({ row, machine, count }) {
    if (row.disks.length > 1) return undefined;
    const path = join(machine.directory, `${row.uuid}-own${count}.img`);
    await writeDisk(path, []);
    return change({ ...row, disks: [...row.disks, { path, format: 'raw', backing: [] }] });
  },
  async disc({ row, iso }) {
    const cdrom = pick([null, iso]);
    await hypervisor.setCdrom(row.uuid, cdrom);
    return { ...row, cdrom };
  },
  grow: ({ row }) => hypervisor.growDisk(row.uuid, { disk: row.disks[0]!, sizeBytes: diskBytes + MiB }),
};

async function change(spec: MachineSpec): Promise<MachineSpec> {
  await hypervisor.define(spec);
  return spec;
}

const refusals = ['changed_outside', 'saved_state', 'invalid_state', 'start_failed'];

/** Gives one order and checks that only what it names has changed. */
async function order(world: World, name: string): Promise<string> {
  const before = await world.machine.definition();
  let outcome = 'ok';
  const wanted = await commands[name]!(world).catch((error: unknown) => {
    if (!(error instanceof HypervisorError) || !refusals.includes(error.code)) throw error;
    outcome = error.code;
  });
  const after = await world.machine.definition();
  const changed = compareDomains(parseXml(before), parseXml(after)).map(({ setting }) => setting);
  if (outcome !== 'ok' || wanted === undefined) expect(changed, name).toEqual([]);
  if (wanted !== undefined) {
    const allowed = { disc: 'cdrom', disk: 'disks' }[name] ?? name;
    if (name === 'adopt') expect(changed).toEqual([]);
    else expect([[], [allowed]], name).toContainEqual(changed);
    expect((await statusOf(world)).differences, name).toEqual([]);
    world.row = wanted;
  }
  expect(titleOf(after), name).toBe(titleOf(before));
  return outcome;
}

const titleOf = (xml: string): string | undefined => /<title>(.*)<\/title>/.exec(xml)?.[1];

it(`V2: no order of wcc loses a byte or reverts a setting of another program (seed ${seed})`, async () => {
  const story: string[] = [];
  let world = await createWorld();
  try {
    for (let round = 0; round < rounds; round += 1) {
      if (round % 5 === 4) {
        await hypervisor.powerOff(world.row.uuid);
        await hypervisor.undefine(world.row.uuid);
        world = await createWorld();
        story.push('another machine');
      }
      const hand = pick(Object.keys(hands));
      const did = await hands[hand]!(world).then(
        () => 'did',
        () => 'did not',
      );
      story.push(`virsh ${did} ${hand}`);
      for (let at = 0; at < orders; at += 1) {
        const status = await statusOf(world);
        if (!isOn(status) && status.state !== 'saved') await writeInGuest(world);
        const command = pick(Object.keys(commands));
        story.push(command);
        story.push(await order(world, command));
        const read = await world.machine.read();
        expect(read.subarray(0, diskBytes).equals(world.content), 'the content of the disk').toBe(true);
      }
    }
  } catch (error) {
    throw new Error(`after: ${story.join(', ')}`, { cause: error });
  }
});
