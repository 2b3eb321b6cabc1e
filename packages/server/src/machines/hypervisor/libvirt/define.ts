import { randomUUID } from 'node:crypto';
import { chown, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HypervisorError } from '../hypervisor-error.ts';
import type { MachineSpec } from '../machine-spec.ts';
import { assertMachineSpec, isSameSpec, normalizeSpec } from '../machine-spec.ts';
import type { LibvirtContext } from './context.ts';
import { filesOf, isOn, probe, parseNames, queries, parseOwn } from './context.ts';
import { buildDomainXml } from './domain-xml.ts';
import { assertEmulator } from './host.ts';
import { parseStats } from './states.ts';

/** libvirt replaces this alias with the newest version when it defines the machine. */
const machineTypeAlias = 'q35';

export async function define(context: LibvirtContext, requested: MachineSpec): Promise<void> {
  assertMachineSpec(requested);
  const spec = normalizeSpec(requested);
  const { uuid, name } = spec;
  const [names = '', xml = '', states = ''] = await context.virsh.query(
    queries.names,
    queries.machine(uuid),
    queries.stateOf(uuid),
  );
  const existing = parseOwn(context, uuid, xml);
  if (existing === null) throw new HypervisorError('foreign_machine', { detail: uuid });
  if (existing !== undefined) {
    if (isSameSpec(existing.spec, spec)) return;
    if (parseStats(states).some(isOn))
      throw new HypervisorError('invalid_state', { detail: 'the machine is running' });
  }
  await assertHostSupports(context, spec);
  assertNameFree(parseNames(names), spec);
  if (existing !== undefined && existing.spec.name !== name) await context.virsh.run('domrename', uuid, name);
  await defineDomain(context, spec, existing?.machineType ?? machineTypeAlias);
  if (existing === undefined) context.justDefined.set(uuid, performance.now());
  context.changed();
}

/** Passes the specification to libvirt. A running machine uses it from its next start on. */
export async function defineDomain(
  context: LibvirtContext,
  spec: MachineSpec,
  machineType: string,
): Promise<void> {
  const emulator = assertEmulator(await context.host());
  const files = filesOf(context, spec.uuid);
  await createOwnDirectory(context, files.directory);
  const xml = buildDomainXml(spec, { ...emulator, machineType, owner: context.owner, files });
  const path = join(files.directory, `${randomUUID()}.xml`);
  try {
    await writeFile(path, xml, { mode: 0o600, flag: 'wx' });
    await giveToSessionUser(context, path);
    await context.virsh.run('define', '--validate', path);
  } finally {
    await rm(path, { force: true });
  }
}

async function assertHostSupports(
  context: LibvirtContext,
  { firmware, network }: MachineSpec,
): Promise<void> {
  const { uefi } = assertEmulator(await context.host());
  if (firmware === 'uefi' && uefi === null)
    throw new HypervisorError('packages_missing', { packages: ['ovmf'] });
  if (network.kind !== 'network') return;
  const names = (await context.virsh.run('net-list', '--name')).split('\n').map((name) => name.trim());
  if (!names.includes(network.name))
    throw new HypervisorError('unsupported', { detail: `no network ${network.name} is active` });
}

function assertNameFree(names: ReadonlyMap<string, string>, { uuid, name }: MachineSpec): void {
  for (const [other, otherName] of names) {
    if (other !== uuid && otherName === name) throw new HypervisorError('name_taken', { detail: name });
  }
}

export async function createOwnDirectory(context: LibvirtContext, path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  await giveToSessionUser(context, path);
}

/** When the session belongs to another user, that user's programs must be able to read the path. */
async function giveToSessionUser({ virsh }: LibvirtContext, path: string): Promise<void> {
  const { identity } = virsh.connection;
  if (identity) await chown(path, identity.uid, identity.gid);
}

export async function undefine(context: LibvirtContext, uuid: string): Promise<void> {
  context.justDefined.delete(uuid);
  const current = await probe(context, uuid);
  if (current !== null) {
    if (current.own === null) throw new HypervisorError('foreign_machine', { detail: uuid });
    if (isOn(current.stats)) throw new HypervisorError('invalid_state', { detail: 'the machine is running' });
    const metadata = ['--managed-save', '--snapshots-metadata', '--checkpoints-metadata', '--nvram'];
    await context.virsh.run('undefine', uuid, ...metadata);
  }
  await rm(filesOf(context, uuid).directory, { recursive: true, force: true });
  context.changed();
}
