import { ApiError } from '@wcc/api';
import type { Host, VmNetwork } from '@wcc/api';
import { formatBytes } from '@wcc/progress';
import { readFile } from 'node:fs/promises';
import { availableParallelism, freemem, totalmem } from 'node:os';
import { describeMissingPackages, toApiError } from './hypervisor-errors.ts';
import type { Hypervisor, HypervisorFacts, MachineStatus } from '../hypervisor.ts';

/** What the hypervisor can do. @throws ApiError `hypervisor_missing`, `hypervisor_unavailable` */
export async function assertHypervisor(hypervisor: Hypervisor): Promise<HypervisorFacts> {
  const facts = await hypervisor.probe();
  if (facts.missing === null && facts.acceleration !== null) return facts;
  if (facts.missing?.code === 'unavailable') throw new ApiError('hypervisor_unavailable');
  throw new ApiError('hypervisor_missing', describeMissingPackages(facts.missing?.packages ?? []));
}

/** @throws ApiError `hypervisor_unavailable` when its machines cannot be counted */
export async function describeHost(hypervisor: Hypervisor): Promise<Host> {
  const { driver, acceleration, version, missing } = await hypervisor.probe();
  const works = missing === null && acceleration !== null;
  const [memory, networks] = works
    ? await Promise.all([hypervisor.list().then(measureMemory), networkNames(hypervisor)])
    : [await readMemory(), []];
  return {
    hypervisor: { driver: works ? driver : null, acceleration, version, missing },
    cpus: availableParallelism(),
    memoryBytes: memory.totalBytes,
    freeMemoryBytes: memory.freeBytes,
    networks,
  };
}

async function networkNames(hypervisor: Hypervisor): Promise<string[]> {
  return (await hypervisor.networks()).map(({ name }) => name);
}

interface Memory {
  totalBytes: number;
  /** For a further machine: guests take their memory bit by bit, so what they were promised counts. */
  freeBytes: number;
}

async function measureMemory(machines: readonly MachineStatus[]): Promise<Memory> {
  const memory = await readMemory();
  const promised = machines
    .filter(({ state }) => state === 'running' || state === 'paused' || state === 'unknown')
    .reduce((sum, { memoryBytes }) => sum + memoryBytes, 0);
  return { ...memory, freeBytes: Math.max(0, Math.min(memory.freeBytes, memory.totalBytes - promised)) };
}

/** The kernel's own estimate of what programs can still have, its caches counted in. */
async function readMemory(): Promise<Memory> {
  const text = await readFile('/proc/meminfo', 'utf8').catch(() => '');
  const available = /^MemAvailable:\s+(\d+) kB$/m.exec(text)?.[1];
  const freeBytes = available === undefined ? freemem() : Number(available) * 1024;
  return { totalBytes: totalmem(), freeBytes };
}

/**
 * Whether a machine can have this memory, at once or ever.
 * @param options.machines those that were promised some; without them it is the kernel's count alone, which costs nothing
 * @throws ApiError `not_enough_memory` with the numbers
 */
export async function assertMemory(
  memoryBytes: number,
  { now, machines = [] }: { now: boolean; machines?: readonly MachineStatus[] },
): Promise<void> {
  const { totalBytes, freeBytes } = await measureMemory(machines);
  const has = now ? freeBytes : totalBytes;
  if (memoryBytes <= has) return;
  const message = `Needs ${formatBytes(memoryBytes)} of memory, ${formatBytes(has)} ${now ? 'free' : 'in this host'}.`;
  throw new ApiError('not_enough_memory', { field: 'memoryBytes', message });
}

/** @throws ApiError `invalid_input` */
export function assertCpus(cpus: number): void {
  const has = availableParallelism();
  if (cpus <= has) return;
  throw new ApiError('invalid_input', { field: 'cpus', message: `This host has ${has} CPUs.` });
}

/** @throws ApiError `unknown_network`, `invalid_input` */
export async function assertNetwork(hypervisor: Hypervisor, { kind, name }: VmNetwork): Promise<void> {
  if (kind === 'user' || kind === 'none') {
    if (name === null) return;
    const message = `The network "${kind}" has no name.`;
    throw new ApiError('invalid_input', { field: 'network.name', message });
  }
  const networks = await hypervisor.networks();
  if (networks.some((network) => network.kind === kind && network.name === name)) return;
  const message = `There is no ${kind} of that name on this host.`;
  throw new ApiError('unknown_network', { field: 'network.name', message });
}

/** Runs an order to the hypervisor; its refusals come out in the words of the API. */
export async function mapHypervisorErrors<Result>(order: () => Promise<Result>): Promise<Result> {
  try {
    return await order();
  } catch (error) {
    throw toApiError(error);
  }
}
