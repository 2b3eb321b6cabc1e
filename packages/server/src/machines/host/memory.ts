import { ApiError } from '@wcc/api';
import { formatBytes } from '@wcc/progress';
import { readFile } from 'node:fs/promises';
import { freemem, totalmem } from 'node:os';
import { createMutex } from '../../concurrency/mutex.ts';
import { isOwn, readUnfinished } from '../../operations/rows.ts';
import type { Store } from '../../storage/store.ts';
import type { Hypervisor, MachineStatus } from '../hypervisor.ts';
import { isOn } from '../hypervisor/run-state.ts';
import type { CreateInput } from '../record/plan.ts';

/** The memory of the host. */
export interface HostMemory {
  totalBytes: number;
  /** Free for another machine. */
  freeBytes: number;
}

/** A machine that needs memory. */
export interface MemoryUser {
  readonly uuid: string;
  readonly memoryBytes: number;
}

/** Memory that is promised to one machine until `release`. */
export interface MemoryPromise {
  /** The hypervisor's machines at the time of the promise. */
  readonly machines: readonly MachineStatus[];
  release(): void;
}

/**
 * Promises of memory. A machine has its memory when it runs. Until then a promise counts like memory in use, so that
 * two machines are never started with the memory of one. Operations that will start a machine hold a promise from
 * their acceptance to their end, which the store remembers.
 */
export interface MemoryPromises {
  /** Checks and promises in one critical section. @throws ApiError `not_enough_memory` with the numbers */
  promise(user: MemoryUser): Promise<MemoryPromise>;
  /** @throws HypervisorError when its machines cannot be listed */
  measure(): Promise<HostMemory>;
  /** Without the memory of machines. */
  readHost(): Promise<HostMemory>;
}

export interface MemoryOptions {
  store: Store;
  hypervisor: Hypervisor;
  /** @default the memory of this host */
  readHost?: () => Promise<HostMemory>;
}

export function createMemoryPromises({
  store,
  hypervisor,
  readHost = readHostMemory,
}: MemoryOptions): MemoryPromises {
  const inTurn = createMutex();
  /** One for each call, because two calls may start the same machine. */
  const starting = new Set<MemoryUser>();
  const measureWithout = async (
    uuid: string | null,
  ): Promise<{ machines: MachineStatus[]; memory: HostMemory }> => {
    // In this order: a start that has just ended is in the list, and an operation that ends has started its machine.
    const promised = [...starting, ...(await readPromised(store))];
    const [machines, host] = await Promise.all([hypervisor.list(), readHost()]);
    return { machines, memory: withoutMachines(host, { machines, promised, except: uuid }) };
  };
  return {
    promise: (user) =>
      inTurn(async () => {
        const { machines, memory } = await measureWithout(user.uuid);
        const isOn = machines.some((machine) => machine.uuid === user.uuid && hasMemory(machine));
        if (!isOn) assertFits(user.memoryBytes, memory.freeBytes, 'are free');
        const own = { ...user };
        starting.add(own);
        return { machines, release: () => void starting.delete(own) };
      }),
    measure: async () => (await measureWithout(null)).memory,
    readHost,
  };
}

/** Machines of operations that have not ended and will start them. */
async function readPromised(store: Store): Promise<MemoryUser[]> {
  const operations = (await readUnfinished(store)).filter(isOwn);
  return operations
    .map(({ input }) => input as Partial<CreateInput>)
    .flatMap(({ vm, start }) => (vm !== undefined && start === true ? [vm] : []));
}

const hasMemory = (status: MachineStatus): boolean => isOn(status) || status.state === 'unknown';

function withoutMachines(
  host: HostMemory,
  uses: { machines: readonly MachineStatus[]; promised: readonly MemoryUser[]; except: string | null },
): HostMemory {
  const { machines, promised, except } = uses;
  const withMemory = machines.filter(hasMemory);
  const on = new Set(withMemory.map(({ uuid }) => uuid));
  const waiting = new Map(promised.map(({ uuid, memoryBytes }) => [uuid, memoryBytes]));
  for (const uuid of waiting.keys()) if (uuid === except || on.has(uuid)) waiting.delete(uuid);
  const promisedBytes = sum([...waiting.values()]);
  // A guest claims its memory over time, and the kernel's estimate does not know what it has yet to claim.
  const unclaimedBytes = sum(
    withMemory.map(({ memoryBytes, residentBytes }) =>
      Math.max(0, memoryBytes - (residentBytes ?? memoryBytes)),
    ),
  );
  const assignedBytes = sum(withMemory.map(({ memoryBytes }) => memoryBytes));
  const freeBytes =
    Math.min(host.freeBytes - unclaimedBytes, host.totalBytes - assignedBytes) - promisedBytes;
  return { ...host, freeBytes: Math.max(0, freeBytes) };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

/** `MemAvailable`: the kernel's estimate of free memory, including caches that it can drop. */
export async function readHostMemory(): Promise<HostMemory> {
  const text = await readFile('/proc/meminfo', 'utf8').catch(() => '');
  const available = /^MemAvailable:\s+(\d+) kB$/m.exec(text)?.[1];
  const freeBytes = available === undefined ? freemem() : Number(available) * 1024;
  return { totalBytes: totalmem(), freeBytes };
}

/** Checks that the host has this memory at all, or has it free. @throws ApiError `not_enough_memory` */
export async function assertHostMemory(
  memory: Pick<MemoryPromises, 'readHost'>,
  memoryBytes: number,
  { now }: { now: boolean },
): Promise<void> {
  const { totalBytes, freeBytes } = await memory.readHost();
  assertFits(memoryBytes, now ? freeBytes : totalBytes, now ? 'are free' : 'are installed');
}

function assertFits(memoryBytes: number, limitBytes: number, what: 'are free' | 'are installed'): void {
  if (memoryBytes <= limitBytes) return;
  const message = `The machine needs ${formatBytes(memoryBytes)} of memory; ${formatBytes(limitBytes)} ${what}.`;
  throw new ApiError('not_enough_memory', { field: 'memoryBytes', message });
}
