import { join } from 'node:path';
import type { CallOptions } from '../../hypervisor.ts';
import { assertNotAborted, HypervisorError } from '../hypervisor-error.ts';
import { isUuid } from '../machine-spec.ts';
import { isOn } from '../run-state.ts';
import type { SettingDifference } from '../setting-difference.ts';
import { describeDifferences } from '../setting-difference.ts';
import { writtenDomain } from './domain-xml.ts';
import { compareDomains } from './domain-settings.ts';
import type { LibvirtHost } from './host.ts';
import { parseXml } from './parse-xml.ts';
import type { DomainStats } from './states.ts';
import { parseStats } from './states.ts';
import type { TaggedSpec } from './tag.ts';
import { readTag } from './tag.ts';
import type { VirshQuery, Virsh } from './virsh.ts';

/** Shared by all calls of the driver. */
export interface LibvirtContext {
  readonly virsh: Virsh;
  /** See `ownerOf`. */
  readonly owner: string;
  /** Holds one directory per machine. */
  readonly root: string;
  host(options?: { afresh?: boolean }): Promise<LibvirtHost>;
  /**
   * UUIDs of newly defined machines → monotonic time of the definition, in ms. wcc owns these machines, and they are
   * off.
   */
  readonly justDefined: Map<string, number>;
  /** UUID → what another program changed, and the definition that shows it. Parsing takes milliseconds for each machine. */
  readonly compared: Map<string, { readonly xml: string; readonly differences: SettingDifference[] }>;
  /** Emits a hint that something may have changed. */
  readonly changed: () => void;
}

/** The context for one call that ends when its signal aborts. @throws HypervisorError `aborted` */
export function withSignal(context: LibvirtContext, { signal }: CallOptions = {}): LibvirtContext {
  assertNotAborted(signal);
  return signal === undefined ? context : { ...context, virsh: context.virsh.withSignal(signal) };
}

export interface MachineFiles {
  readonly directory: string;
  readonly serial: string;
  readonly firmwareVariables: string;
}

/**
 * Where libvirt's system daemon keeps UEFI variables. Its QEMU runs as another user and cannot reach our directories.
 * libvirt sets the owner of the files itself.
 */
const systemVariables = '/var/lib/libvirt/qemu/nvram';

export function filesOf({ root, virsh }: LibvirtContext, uuid: string): MachineFiles {
  const directory = join(root, uuid);
  const firmwareVariables =
    virsh.connection.uri === 'qemu:///system'
      ? join(systemVariables, `${uuid}_VARS.fd`)
      : join(directory, 'vars.fd');
  return { directory, serial: join(directory, 'serial.log'), firmwareVariables };
}

/** The queries about machines. Several may run in one call of virsh. */
export const queries = {
  names: ['list', '--all', '--uuid', '--name'] as const,
  states: ['domstats', '--state', '--vcpu', '--balloon', '--raw'] as const,
  /** UUIDs of machines with a saved state. */
  saved: ['list', '--all', '--with-managed-save', '--uuid'] as const,
  /** With the password of the screen, if another program set one, so that a change of the definition keeps it. */
  machine: (uuid: string): VirshQuery => ['dumpxml', '--inactive', '--security-info', '--domain', uuid],
  stateOf: (uuid: string): VirshQuery => [...queries.states, '--domain', uuid],
};

/** UUID → name of every machine. `virsh` prints the UUID, a space, and the name up to the end of the line. */
export function parseNames(answer: string): Map<string, string> {
  const pairs = answer.split('\n').filter((line) => isUuid(line.slice(0, 36)));
  return new Map(pairs.map((line) => [line.slice(0, 36), line.slice(36).trim()]));
}

/**
 * Our tag on a machine. `virsh` takes a UUID for a name when no machine has that UUID, so the answer must contain the same UUID.
 * Call this before every change of a machine.
 * @returns undefined for an unknown machine, null for a foreign one
 */
export async function findOwn(context: LibvirtContext, uuid: string): Promise<TaggedSpec | null | undefined> {
  if (!isUuid(uuid)) return undefined;
  const [xml = ''] = await context.virsh.query(queries.machine(uuid));
  return parseOwn(context, uuid, xml);
}

/** See `findOwn`. @param xml the answer of virsh for this UUID */
export function parseOwn(
  { owner }: LibvirtContext,
  uuid: string,
  xml: string,
): TaggedSpec | null | undefined {
  // The first `<uuid>` is the machine's own: only its name comes before, where `<` is escaped.
  const answeredUuid = /<uuid>([0-9a-f-]{36})<\/uuid>/.exec(xml)?.[1];
  return answeredUuid === uuid ? readTag(xml, { uuid, owner }) : undefined;
}

/** What another program changed since wcc defined the machine. */
export function differencesOf(
  { owner, compared }: LibvirtContext,
  { own, xml }: { own: TaggedSpec | null; xml: string },
): SettingDifference[] {
  if (own === null) return [];
  const { uuid } = own.spec;
  const known = compared.get(uuid);
  // The specification is in the definition too.
  if (known?.xml === xml) return known.differences;
  const differences = compareDomains(writtenDomain(own.spec, owner), parseXml(xml));
  compared.set(uuid, { xml, differences });
  return differences;
}

/** A machine and its current state. */
export interface MachineProbe {
  /** Null: the machine is foreign. */
  readonly own: TaggedSpec | null;
  readonly stats: DomainStats;
  /** libvirt's definition for the next start. */
  readonly xml: string;
  readonly differences: readonly SettingDifference[];
}

/** See `findOwn`. @returns null for an unknown machine */
export async function probe(context: LibvirtContext, uuid: string): Promise<MachineProbe | null> {
  if (!isUuid(uuid)) return null;
  const [xml = '', states = '', saved = ''] = await context.virsh.query(
    queries.machine(uuid),
    queries.stateOf(uuid),
    queries.saved,
  );
  const own = parseOwn(context, uuid, xml);
  const [stats] = parseStats(states);
  if (own === undefined || stats === undefined) return null;
  const complete = await completeStats(context, { uuid, stats, saved: parseSaved(saved) });
  return { own, stats: complete, xml, differences: differencesOf(context, { own, xml }) };
}

/** The answer to `queries.saved`. */
export function parseSaved(answer: string): Set<string> {
  return new Set(answer.split('\n').map((line) => line.trim()));
}

/** Adds the saved state, and the reason why a machine waits for its disk. That needs another query. */
export async function completeStats(
  { virsh }: LibvirtContext,
  { uuid, stats, saved }: { uuid: string; stats: DomainStats; saved: ReadonlySet<string> },
): Promise<DomainStats> {
  if (saved.has(uuid) && !isOn(stats)) return { ...stats, state: 'saved', reason: null };
  if (stats.reason !== 'io_error') return stats;
  const output = await virsh.run('domblkerror', uuid).catch(() => '');
  return output.includes('no space') ? { ...stats, reason: 'no_space' } : stats;
}

/** One of our machines and its current state. */
export type OwnMachine = MachineProbe & { readonly own: TaggedSpec };

/** @throws HypervisorError `unknown_machine`, `foreign_machine` */
export async function assertOwn(context: LibvirtContext, uuid: string): Promise<OwnMachine> {
  const now = await probe(context, uuid);
  if (now === null) throw new HypervisorError('unknown_machine', { detail: uuid });
  const { own } = now;
  if (own === null) throw new HypervisorError('foreign_machine', { detail: uuid });
  return { ...now, own };
}

/**
 * One of our machines that wcc may change.
 * @throws HypervisorError `unknown_machine`, `foreign_machine`, `saved_state`, `changed_outside`
 */
export async function assertOwnUnchanged(context: LibvirtContext, uuid: string): Promise<OwnMachine> {
  const now = await assertOwn(context, uuid);
  if (now.stats.state === 'saved') throw new HypervisorError('saved_state');
  assertNoDifference(now.differences);
  return now;
}

/** @throws HypervisorError `changed_outside` */
export function assertNoDifference(differences: readonly SettingDifference[]): void {
  if (differences.length === 0) return;
  const detail = describeDifferences(differences);
  throw new HypervisorError('changed_outside', { detail, differences });
}

/** One of our machines that is on. @throws HypervisorError `unknown_machine`, `foreign_machine`, `invalid_state` */
export async function assertOwnOn(context: LibvirtContext, uuid: string): Promise<OwnMachine> {
  const now = await assertOwn(context, uuid);
  if (isOn(now.stats)) return now;
  throw new HypervisorError('invalid_state', { detail: now.stats.state });
}
