import type { Principal } from '../../access/principal.ts';
import { serverPrincipal } from '../../access/server-principal.ts';
import { isOwn, readUnfinished } from '../../operations/rows.ts';
import type { MachinesContext } from '../context.ts';
import type { VmRow } from '../record/machine-rows.ts';
import { acceptStart, createStartAction } from './action.ts';
import type { StartInput } from './action.ts';
import { isSameBoot, readBoot, readStoredBoot, storeBoot } from './boot.ts';
import { createTurns } from './turns.ts';
import type { Turns } from './turns.ts';

export interface AutostartOptions {
  /** @default the boot of this host */
  readBoot?: () => Promise<string>;
  /** How long the starts of a boot wait for a pool that is not available. @default 5 minutes */
  poolWaitMs?: number;
  /** How long a start waits for a hypervisor that does not answer. @default 1 minute */
  hypervisorWaitMs?: number;
}

/** Starts machines after a boot of the host. */
export interface Autostart {
  /** Accepts the starts of a new boot, once per boot. Call it after the operations were recovered. Never rejects. */
  start(): Promise<void>;
  close(): void;
}

/** An import of a large pool by `zpool`, or a check of a file system, takes minutes. */
const defaultPoolWaitMs = 300_000;
const defaultHypervisorWaitMs = 60_000;

export function createAutostart(context: MachinesContext, options: AutostartOptions = {}): Autostart {
  const { operations, onError } = context;
  const { poolWaitMs = defaultPoolWaitMs, hypervisorWaitMs = defaultHypervisorWaitMs } = options;
  const turns = createTurns((id) => operations.isLive(id));
  let giveUp: NodeJS.Timeout | undefined;
  operations.register(createStartAction(context, { turns, hypervisorWaitMs }));
  return {
    async start() {
      try {
        await addUnfinished(context, turns);
        await startAfterBoot(context, turns, options.readBoot ?? readBoot);
      } catch (error) {
        onError(error, { stage: 'machines: autostart' });
      } finally {
        turns.open();
      }
      if (turns.all().length === 0) return;
      giveUp = setTimeout(() => {
        failWaiting(context, turns).catch((error: unknown) =>
          onError(error, { stage: 'machines: autostart' }),
        );
      }, poolWaitMs).unref();
    },
    close: () => clearTimeout(giveUp),
  };
}

/** The starts of an earlier process keep their places. */
async function addUnfinished({ store }: MachinesContext, turns: Turns): Promise<void> {
  for (const { id, record, input } of (await readUnfinished(store)).filter(isOwn)) {
    const { vmId, order, poolId } = input as StartInput;
    if (record.action === 'start_vm' && order !== null) turns.add({ operationId: id, vmId, order, poolId });
  }
}

/** A database without a boot is new or from before autostart, so no machine of it can be due. */
async function startAfterBoot(
  context: MachinesContext,
  turns: Turns,
  read: () => Promise<string>,
): Promise<void> {
  const { store, onError } = context;
  const [boot, stored] = [await read(), await readStoredBoot(store)];
  if (stored !== null && isSameBoot(stored, boot)) return;
  for (const row of stored === null ? [] : await readDue(context)) {
    if (turns.has(row.id)) continue;
    await accept(context, turns, row).catch((error: unknown) =>
      onError(error, { stage: `machines: autostart of ${row.name}` }),
    );
  }
  // Last: after a crash before it, the next process accepts the starts that are missing.
  await store.write([storeBoot(store, boot)]);
}

async function readDue({ store }: MachinesContext): Promise<VmRow[]> {
  return store.db
    .selectFrom('vms')
    .selectAll()
    .where('autostart', '=', 1)
    .where('state', '=', 'ready')
    .orderBy('autostartOrder')
    .orderBy('id')
    .execute();
}

async function accept(context: MachinesContext, turns: Turns, row: VmRow): Promise<void> {
  const { id: vmId, name, poolId, autostartOrder: order, autostartDelaySeconds: delaySeconds } = row;
  const input = { poolId, vmId, name, order, delaySeconds };
  const { id } = await acceptStart(context, input, { principal: ownerOf(row), retryOf: null });
  turns.add({ operationId: id, vmId, order, poolId });
}

/** The operation belongs to the owner of the machine. The address of the audit row names wcc, which acts. */
function ownerOf({ ownerId, ownerName }: VmRow): Principal {
  return {
    ...serverPrincipal,
    kind: 'session',
    userId: ownerId,
    userName: ownerName,
    role: 'operator',
    sessionKey: 'autostart',
  };
}

/** Ends the starts whose pool has not become available, with the reason. */
async function failWaiting({ operations, images }: MachinesContext, turns: Turns): Promise<void> {
  for (const { operationId, poolId } of turns.all()) {
    const { reason } = images.pools.find(poolId);
    if (reason !== null) await operations.failWaiting(operationId, reason);
  }
}
