import type { CopyPhaseEvent } from '@wcc/copy';
import { ApiError, hostNameOf } from '@wcc/api';
import type { OperationView } from '../../operations/action.ts';
import type { MachinesContext } from '../context.ts';
import { assertHypervisor } from '../host/host.ts';
import { assertMayRun } from '../host/may-run.ts';
import { findVm, readDisks, specOf } from '../record/machine-rows.ts';
import { finishDisk, publishDisk } from './disk-files.ts';
import type { DiskTarget } from './disk-files.ts';
import type { CreateInput, DiskPlan } from '../record/plan.ts';
import type { Step, StepTools } from '../steps/steps.ts';
import { abortable } from '../../concurrency/abortable.ts';

/** The names of the phases, in order. */
export function phasesOf(input: CreateInput): string[] {
  return [
    'check',
    ...input.disks.map(({ position }) => `disk_${position + 1}`),
    ...(input.firstBoot === null ? [] : ['seed']),
    'define',
    ...(input.start ? ['start'] : []),
  ];
}

/** The steps of the phases. Each step skips work that an earlier process has completed. */
export function stepsOf(context: MachinesContext, operation: OperationView): Step[] {
  const input = operation.input as CreateInput;
  const work: Record<string, Step['run']> = {
    check: async ({ signal, warn }) => {
      await abortable(assertStillPossible(context, input), signal);
      if (input.isCopy === true && input.firstBoot === null) warn('same_identity');
      if (input.isOriginalSilent === true) warn('first_boot_missing');
    },
    seed: ({ signal }) => writeSeed(context, { operationId: operation.id, input, signal }),
    // `abortable` may leave a call to the hypervisor running; `undoProvision` waits for it.
    define: ({ signal }) => abortable(define(context, input, signal), signal),
    start: ({ signal }) => abortable(startVm(context, input, signal), signal),
  };
  for (const disk of input.disks) {
    work[`disk_${disk.position + 1}`] = (tools) => provisionDisk(context, { operation, disk, tools });
  }
  return phasesOf(input).map((phase) => ({
    phase,
    run: (tools) => work[phase]?.(tools) ?? Promise.resolve(),
  }));
}

/**
 * Checks the pool and the hypervisor again, because they may have changed since the request. Slow just after boot.
 */
async function assertStillPossible(
  { hypervisor, images }: MachinesContext,
  { poolId }: CreateInput,
): Promise<void> {
  await images.pools.use(poolId);
  await assertHypervisor(hypervisor);
}

async function provisionDisk(
  context: MachinesContext,
  { operation, disk, tools }: { operation: OperationView; disk: DiskPlan; tools: StepTools },
): Promise<void> {
  const { vm, poolId } = operation.input as CreateInput;
  const { path } = await context.images.pools.use(poolId);
  const target: DiskTarget = { operationId: operation.id, poolId, directory: path };
  const row = (await readDisks(context.store, vm.id)).find(({ position }) => position === disk.position);
  if (row?.inode == null) {
    const onCopyPhase = (event: CopyPhaseEvent): void => reportCopyPhase(event, tools);
    const hooks = { onJob: tools.follow, onCopyPhase, signal: tools.signal };
    const inode = await publishDisk(context, { target, disk, hooks }).finally(() => tools.follow(null));
    await recordDisk(context, { operation, disk, inode });
  }
  await finishDisk(context, { target, disk, signal: tools.signal });
}

function reportCopyPhase({ phase, totalBytes, facts }: CopyPhaseEvent, tools: StepTools): void {
  if (phase !== 'transfer' && phase !== 'clone') return;
  tools.measure(phase === 'transfer' ? totalBytes : null, facts?.method ? { method: facts.method } : {});
}

/** Records the file by its inode, and reduces the space reservation, because the file now takes real space. */
async function recordDisk(
  { store }: MachinesContext,
  { operation, disk, inode }: { operation: OperationView; disk: DiskPlan; inode: string },
): Promise<void> {
  const { vm, disks } = operation.input as CreateInput;
  const rest = disks.filter(({ position }) => position > disk.position);
  const bytes = rest.reduce((sum, { needsBytes }) => sum + needsBytes, 0);
  const recorded = store.db
    .updateTable('vmDisks')
    .set({ inode })
    .where('vmId', '=', vm.id)
    .where('position', '=', disk.position);
  const reservation = store.db
    .updateTable('spaceReservations')
    .set({ bytes })
    .where('operationId', '=', operation.id);
  await store.write([{ query: recorded, expectRows: 1 }, { query: reservation }]);
}

async function writeSeed(
  context: MachinesContext,
  { operationId, input, signal }: { operationId: string; input: CreateInput; signal: AbortSignal },
): Promise<void> {
  const { vm, firstBoot, hasSecrets, isCopy = false } = input;
  if (firstBoot === null) return;
  const secrets = hasSecrets ? await context.secrets.read(operationId) : {};
  const hostname = hostNameOf(firstBoot.hostname ?? vm.name);
  const contents = { instanceId: vm.uuid, hostname, firstBoot: { ...firstBoot, ...secrets }, isCopy };
  await context.seeds.write(vm.uuid, contents, { signal }).catch((error: unknown) => {
    signal.throwIfAborted();
    throw error;
  });
}

/** Checks the memory again: after a restart of the host, or a long pause, less may be free than was promised. */
async function startVm(
  context: MachinesContext,
  { vm, disks, poolId }: CreateInput,
  signal: AbortSignal,
): Promise<void> {
  const { hypervisor, memory } = context;
  await assertMayRun(context, { poolId, opens: disks });
  const promise = await memory.promise(vm);
  try {
    await hypervisor.start(vm.uuid, { signal });
  } finally {
    promise.release();
  }
}

async function define(context: MachinesContext, { vm }: CreateInput, signal: AbortSignal): Promise<void> {
  const row = await findVm(context.store, vm.id);
  if (row === undefined) throw new ApiError('not_found');
  const spec = await specOf(context, row, await readDisks(context.store, vm.id));
  await context.hypervisor.define(spec, { signal });
}
