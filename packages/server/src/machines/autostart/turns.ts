import type { VmId } from '@wcc/api';
import { setTimeout as sleep } from 'node:timers/promises';

/** The place of a start in the order of its boot. */
export interface Turn {
  operationId: string;
  vmId: VmId;
  order: number;
  poolId: string;
}

/** The order of the starts after a boot. A start has its turn when each start before it has ended, well or not. */
export interface Turns {
  add(turn: Turn): void;
  has(vmId: VmId): boolean;
  all(): readonly Turn[];
  /** All starts of this boot are known. Until then, no start has its turn. */
  open(): void;
  /** @throws the reason of `signal` */
  wait(turn: Turn, signal: AbortSignal): Promise<void>;
}

const pollMs = 50;

export function createTurns(isLive: (operationId: string) => boolean): Turns {
  const turns = new Map<string, Turn>();
  let isOpen = false;
  const live = (): Turn[] => {
    for (const { operationId } of turns.values()) if (!isLive(operationId)) turns.delete(operationId);
    return [...turns.values()];
  };
  return {
    add: (turn) => void turns.set(turn.operationId, turn),
    has: (vmId) => live().some((turn) => turn.vmId === vmId),
    all: live,
    open: () => void (isOpen = true),
    async wait(turn, signal) {
      while (!isOpen || live().some((other) => isBefore(other, turn)))
        await sleep(pollMs, undefined, { signal, ref: false });
      signal.throwIfAborted();
    },
  };
}

function isBefore(a: Turn, b: Turn): boolean {
  return a.order < b.order || (a.order === b.order && a.vmId < b.vmId);
}
