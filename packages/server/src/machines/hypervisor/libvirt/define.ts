import { randomUUID } from 'node:crypto';
import { chown, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inDataDirectory } from '../../../files/data-directory.ts';
import { HypervisorError } from '../hypervisor-error.ts';
import type { MachineSpec } from '../machine-spec.ts';
import { assertMachineSpec, isSameSpec, normalizeSpec } from '../machine-spec.ts';
import { isOn } from '../run-state.ts';
import type { LibvirtContext } from './context.ts';
import { assertNoDifference, filesOf, parseNames, parseOwn, parseSaved, probe, queries } from './context.ts';
import { compareDomains } from './domain-settings.ts';
import { buildDomainXml, writtenDomain } from './domain-xml.ts';
import { textOf } from './elements.ts';
import { assertEmulator } from './host.ts';
import { mergeDomain } from './merge-domain.ts';
import { parseXml } from './parse-xml.ts';
import { parseStats } from './states.ts';
import { toXml } from './xml.ts';

/** libvirt replaces this alias with the newest version when it defines the machine. */
const machineTypeAlias = 'q35';

export async function define(context: LibvirtContext, requested: MachineSpec): Promise<void> {
  assertMachineSpec(requested);
  const spec = normalizeSpec(requested);
  const { uuid } = spec;
  const [names = '', xml = '', states = '', saved = ''] = await context.virsh.query(
    queries.names,
    queries.machine(uuid),
    queries.stateOf(uuid),
    queries.saved,
  );
  const existing = parseOwn(context, uuid, xml);
  if (existing === null) throw new HypervisorError('foreign_machine', { detail: uuid });
  if (existing !== undefined) {
    if (isSameSpec(existing.spec, spec)) return;
    // libvirt has the settings already, and only the tag follows them.
    const isAdoption = compareDomains(writtenDomain(spec, context.owner), parseXml(xml)).length === 0;
    if (!isAdoption && parseStats(states).some(isOn))
      throw new HypervisorError('invalid_state', { detail: 'the machine is running' });
    if (!isAdoption && parseSaved(saved).has(uuid)) throw new HypervisorError('saved_state');
  }
  await assertHostSupports(context, spec);
  assertNameFree(parseNames(names), spec);
  if (existing === undefined) await defineNew(context, spec);
  else await redefine(context, { before: existing.spec, spec, xml });
  context.changed();
}

async function defineNew(context: LibvirtContext, spec: MachineSpec): Promise<void> {
  const emulator = assertEmulator(await context.host());
  const files = filesOf(context, spec.uuid);
  const options = { ...emulator, machineType: machineTypeAlias, owner: context.owner, files };
  await passDefinition(context, spec.uuid, buildDomainXml(spec, options));
  context.justDefined.set(spec.uuid, performance.now());
}

/**
 * Changes libvirt's own definition where the two specifications differ. A running machine uses it from its next start on.
 * @throws HypervisorError `changed_outside` for a setting that libvirt has and neither specification
 */
export async function redefine(
  context: LibvirtContext,
  { before, spec, xml }: { before: MachineSpec; spec: MachineSpec; xml: string },
): Promise<void> {
  const { owner, virsh } = context;
  const [base, next, actual] = [writtenDomain(before, owner), writtenDomain(spec, owner), parseXml(xml)];
  const remaining = new Set(compareDomains(next, actual).map(({ setting }) => setting));
  assertNoDifference(compareDomains(base, actual).filter(({ setting }) => remaining.has(setting)));
  const name = textOf(actual, 'name');
  const isRenamed = name !== spec.name;
  if (isRenamed) await virsh.run('domrename', spec.uuid, spec.name);
  try {
    await passDefinition(context, spec.uuid, toXml(mergeDomain(actual, { base, next })));
  } catch (error) {
    // All or nothing. If this fails too, the name is shown as a difference.
    if (isRenamed) await virsh.run('domrename', spec.uuid, name).catch(() => {});
    throw error;
  }
}

async function passDefinition(context: LibvirtContext, uuid: string, xml: string): Promise<void> {
  const { directory } = filesOf(context, uuid);
  await inDataDirectory(() => createOwnDirectory(context, directory));
  const path = join(directory, `${randomUUID()}.xml`);
  try {
    await inDataDirectory(() => writeFile(path, xml, { mode: 0o600, flag: 'wx' }));
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
