import { HypervisorError } from '../hypervisor-error.ts';
import type { DiskSpec } from '../machine-spec.ts';
import { isPlainPath } from '../machine-spec.ts';
import { assertDiskSize, growFile } from '../grow-file.ts';
import { isDead, isOn, waitForRun } from '../run-state.ts';
import type { LibvirtContext } from './context.ts';
import { assertOwn, assertOwnOn, assertOwnUnchanged, filesOf, probe } from './context.ts';
import { createOwnDirectory, redefine } from './define.ts';
import { cdromTarget } from './domain-xml.ts';
import type { DomainStats } from './states.ts';

/** Time for which the driver assumes, without a query, that a new machine belongs to wcc and is off. */
const justDefinedMs = 3_000;

export async function start(context: LibvirtContext, uuid: string): Promise<void> {
  const definedAtMs = context.justDefined.get(uuid);
  context.justDefined.delete(uuid);
  // Saves a query, which takes as long as all other steps of creating a thin machine.
  if (definedAtMs !== undefined && performance.now() - definedAtMs < justDefinedMs) {
    return boot(context, uuid).catch((error: unknown) => {
      if (!(error instanceof HypervisorError) || error.code !== 'invalid_state') throw error;
      return start(context, uuid);
    });
  }
  const { stats } = await assertOwn(context, uuid);
  const { state, reason } = stats;
  if (state === 'running') return;
  if (state === 'paused' || state === 'suspended') return wake(context, uuid, stats);
  if (isDead({ reason })) await context.virsh.run('destroy', uuid);
  await boot(context, uuid);
  // A machine that was paused when it was saved is paused again.
  const restored = state === 'saved' ? await statsOf(context, uuid) : stats;
  if (restored.state === 'paused') await wake(context, uuid, restored);
}

/** Makes the guest run again. */
async function wake(context: LibvirtContext, uuid: string, stats: DomainStats): Promise<void> {
  await context.virsh.run(stats.state === 'suspended' ? 'dompmwakeup' : 'resume', uuid);
  await waitForRun(stats, () => statsOf(context, uuid));
  context.changed();
}

async function statsOf(context: LibvirtContext, uuid: string): Promise<DomainStats> {
  const now = await probe(context, uuid);
  if (now === null) throw new HypervisorError('unknown_machine', { detail: uuid });
  return now.stats;
}

async function boot(context: LibvirtContext, uuid: string): Promise<void> {
  await createOwnDirectory(context, filesOf(context, uuid).directory);
  await context.virsh.run('start', uuid).catch((error: unknown) => {
    const isRefusal = error instanceof HypervisorError && error.code === 'failed';
    if (!isRefusal) throw error;
    throw new HypervisorError('start_failed', { detail: error.detail ?? '', cause: error });
  });
  context.changed();
}

export async function pause(context: LibvirtContext, uuid: string): Promise<void> {
  if ((await assertOwn(context, uuid)).stats.state === 'running') await context.virsh.run('suspend', uuid);
}

export async function resume(context: LibvirtContext, uuid: string): Promise<void> {
  if ((await assertOwn(context, uuid)).stats.state === 'paused') await context.virsh.run('resume', uuid);
}

export async function shutdown(context: LibvirtContext, uuid: string): Promise<void> {
  const { state } = (await assertOwn(context, uuid)).stats;
  // A guest that does not run does not see the button.
  if (state !== 'running') throw new HypervisorError('invalid_state', { detail: state });
  await context.virsh.run('shutdown', uuid, '--mode', 'acpi');
}

export async function reset(context: LibvirtContext, uuid: string): Promise<void> {
  const { stats } = await assertOwnOn(context, uuid);
  if (stats.state === 'suspended') await wake(context, uuid, stats);
  await context.virsh.run('reset', uuid);
  const { state } = await statsOf(context, uuid);
  if (state === 'paused' || state === 'crashed') await wake(context, uuid, { ...stats, state: 'paused' });
}

export async function discardSavedState(context: LibvirtContext, uuid: string): Promise<void> {
  if ((await assertOwn(context, uuid)).stats.state !== 'saved') return;
  await context.virsh.run('managedsave-remove', uuid);
  context.changed();
}

export async function powerOff(context: LibvirtContext, uuid: string): Promise<void> {
  if (!isOn((await assertOwn(context, uuid)).stats)) return;
  // The machine may shut down at this moment.
  await context.virsh.run('destroy', uuid).catch((error: unknown) => {
    if (!(error instanceof HypervisorError) || error.code !== 'invalid_state') throw error;
  });
  context.changed();
}

export async function setCdrom(context: LibvirtContext, uuid: string, path: string | null): Promise<void> {
  const { own, stats, xml } = await assertOwnUnchanged(context, uuid);
  const { spec } = own;
  if (path !== null && !isPlainPath(path)) throw new HypervisorError('invalid_spec', { detail: 'cdrom' });
  if (isOn(stats)) {
    const change = path === null ? ['--eject'] : ['--update', '--source', path];
    // Another program may have inserted a disc until the next start only.
    const isEmpty = path === null && (await isDriveEmpty(context, uuid));
    // Changes the medium by force, because a guest may have locked the drive.
    if (!isEmpty) await context.virsh.run('change-media', uuid, cdromTarget, ...change, '--live', '--force');
  }
  await redefine(context, { before: spec, spec: { ...spec, cdrom: path }, xml });
  context.changed();
}

/** The drive of the running machine, not of its definition. */
async function isDriveEmpty({ virsh }: LibvirtContext, uuid: string): Promise<boolean> {
  const lines = (await virsh.run('domblklist', uuid)).split('\n').map((line) => line.trim().split(/\s+/));
  return lines.find(([target]) => target === cdromTarget)?.[1] === '-';
}

export async function growDisk(
  context: LibvirtContext,
  uuid: string,
  { disk, sizeBytes }: { disk: DiskSpec; sizeBytes: number },
): Promise<void> {
  const { own, stats } = await assertOwnUnchanged(context, uuid);
  assertDiskSize(sizeBytes);
  const { disks } = own.spec;
  const index = disks.findIndex(({ path }) => path === disk.path);
  const known = disks[index];
  if (!known) throw new HypervisorError('invalid_spec', { detail: 'disk' });
  if (!isOn(stats)) return growFile(known, sizeBytes);
  const target = `vd${String.fromCharCode(97 + index)}`;
  const facts = await context.virsh.run('domblkinfo', uuid, target);
  const size = Number(/^Capacity:\s+(\d+)/m.exec(facts)?.[1] ?? 0);
  if (sizeBytes < size) throw new HypervisorError('invalid_spec', { detail: 'sizeBytes' });
  await context.virsh.run('blockresize', uuid, target, `${sizeBytes}B`);
}
