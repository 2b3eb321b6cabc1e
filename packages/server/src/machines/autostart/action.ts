import { ApiError } from '@wcc/api';
import type { VmId } from '@wcc/api';
import { createOperationId } from '@wcc/progress';
import type { Snapshot } from '@wcc/progress';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Principal } from '../../access/principal.ts';
import type { Action, OperationInput } from '../../operations/action.ts';
import { WorkFailure } from '../../operations/failure.ts';
import { startVm } from '../change/control.ts';
import type { MachinesContext } from '../context.ts';
import { assertHypervisor } from '../host/host.ts';
import { mapHypervisorErrors, toVmFailure } from '../host/hypervisor-errors.ts';
import { findVm } from '../record/machine-rows.ts';
import type { VmRow } from '../record/machine-rows.ts';
import { assertIdle } from '../record/rights.ts';
import { runSteps } from '../steps/steps.ts';
import type { Step } from '../steps/steps.ts';
import type { Turns } from './turns.ts';

/** The stored input of `start_vm`, read again after a restart. */
export interface StartInput extends OperationInput {
  vmId: VmId;
  name: string;
  /** Its place among the starts of its boot; null: a retry, which waits for none. */
  order: number | null;
  delaySeconds: number;
}

export interface StartActionDeps {
  turns: Turns;
  /** How long a start waits for a hypervisor that does not answer yet. */
  hypervisorWaitMs: number;
}

const actionName = 'start_vm';

/**
 * `start_vm`: the start of a machine after a boot of the host. It does not occupy the machine while it waits, so the
 * machine can be used and changed. A start that finds the machine running succeeds.
 */
export function createStartAction(context: MachinesContext, deps: StartActionDeps): Action<StartInput> {
  return {
    name: actionName,
    needsSlot: () => false,
    phases: () => ['wait', 'start'],
    async start({ id, input }, hooks) {
      let canCancel = true;
      const steps: Step[] = [
        { phase: 'wait', run: ({ signal }) => waitForTurn(deps.turns, { id, input }, signal) },
        {
          phase: 'start',
          run: async ({ signal }) => {
            await withReason({ context, signal }, () => awaitHypervisor(context, deps, signal));
            signal.throwIfAborted();
            canCancel = false;
            await withReason({ context, signal }, () => startNow(context, input));
          },
        },
      ];
      return runSteps(steps, hooks, { places: context.places, canCancel: () => canCancel });
    },
    async reconcile({ input }) {
      const row = await findVm(context.store, input.vmId);
      const status = row && (await context.hypervisor.status(row.uuid).catch(() => null));
      return status?.state === 'running' ? 'published' : 'nothing';
    },
    async complete({ input: { vmId, name } }) {
      return { statements: [], result: { kind: 'vm', id: vmId }, target: { kind: 'vm', id: vmId, name } };
    },
    async retry({ input }, { principal, retryOf }) {
      await context.images.pools.use(input.poolId);
      return acceptStart(context, { ...input, order: null, delaySeconds: 0 }, { principal, retryOf });
    },
  };
}

/** Accepts a start. */
export async function acceptStart(
  { operations }: MachinesContext,
  input: StartInput,
  options: { principal: Principal; retryOf: string | null },
): Promise<Snapshot> {
  return operations.accept({
    id: createOperationId(),
    action: actionName,
    principal: options.principal,
    input,
    subject: { kind: 'vm', id: input.vmId, name: input.name },
    target: null,
    names: [],
    reservedBytes: 0,
    retryOf: options.retryOf,
    statements: [],
  });
}

async function waitForTurn(
  turns: Turns,
  { id, input }: { id: string; input: StartInput },
  signal: AbortSignal,
): Promise<void> {
  const { vmId, order, poolId, delaySeconds } = input;
  if (order !== null) await turns.wait({ operationId: id, vmId, order, poolId }, signal);
  await sleep(delaySeconds * 1000, undefined, { signal, ref: false });
}

const hypervisorPollMs = 1_000;

/** At a boot, libvirt may answer later than wcc. Missing packages do not appear by waiting. */
async function awaitHypervisor(
  { hypervisor }: MachinesContext,
  { hypervisorWaitMs }: StartActionDeps,
  signal: AbortSignal,
): Promise<void> {
  const endMs = performance.now() + hypervisorWaitMs;
  let { missing } = await hypervisor.probe();
  while (missing?.code === 'unavailable' && performance.now() < endMs) {
    await sleep(hypervisorPollMs, undefined, { signal, ref: false });
    ({ missing } = await hypervisor.probe({ afresh: true }));
  }
}

/** Like an order by hand: the same conditions, promises of memory and checks of room. */
async function startNow(context: MachinesContext, { vmId, poolId }: StartInput): Promise<void> {
  const { store, hypervisor, images, machineMutex } = context;
  await machineMutex(String(vmId))(() =>
    mapHypervisorErrors(context, async () => {
      const row = await findStartable(store, vmId);
      await assertHypervisor(hypervisor);
      await images.pools.use(poolId);
      await startVm(context, { row, status: await hypervisor.status(row.uuid) });
    }),
  );
}

async function findStartable(store: MachinesContext['store'], vmId: VmId): Promise<VmRow> {
  const row = await findVm(store, vmId);
  if (row === undefined || row.state === 'abandoned') throw new ApiError('not_found');
  assertIdle(row);
  return row;
}

/** A start fails with its reason. It does not pause for space as a copy does, because a start hours later surprises. */
async function withReason(
  { context, signal }: { context: MachinesContext; signal: AbortSignal },
  run: () => Promise<void>,
): Promise<void> {
  try {
    await run();
  } catch (cause) {
    if (signal.aborted) throw cause;
    throw new WorkFailure('failed', { error: toVmFailure(context, cause).error, cause });
  }
}
