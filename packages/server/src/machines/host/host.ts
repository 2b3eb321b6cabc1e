import { ApiError } from '@wcc/api';
import type { Host, VmNetwork } from '@wcc/api';
import { formatBytes } from '@wcc/progress';
import { readFile } from 'node:fs/promises';
import { availableParallelism, freemem, totalmem } from 'node:os';
import { describeMissingPackages } from './hypervisor-errors.ts';
import type { Hypervisor, HypervisorFacts, MachineStatus } from '../hypervisor.ts';

/** The facts of a hypervisor that can run machines. @throws ApiError `hypervisor_missing`, `hypervisor_unavailable` */
export async function assertHypervisor(hypervisor: Hypervisor): Promise<HypervisorFacts> {
  const facts = await hypervisor.probe();
  if (facts.missing === null && facts.acceleration !== null) return facts;
  if (facts.missing?.code === 'unavailable') throw new ApiError('hypervisor_unavailable');
  throw new ApiError('hypervisor_missing', describeMissingPackages(facts.missing?.packages ?? []));
}

/** @throws HypervisorError when its machines or networks cannot be listed */
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
  /** Free for another machine. Guests claim their memory over time, so the memory assigned to running machines counts as used. */
  freeBytes: number;
}

async function measureMemory(machines: readonly MachineStatus[]): Promise<Memory> {
  const memory = await readMemory();
  const assigned = machines
    .filter(({ state }) => state === 'running' || state === 'paused' || state === 'unknown')
    .reduce((sum, { memoryBytes }) => sum + memoryBytes, 0);
  return { ...memory, freeBytes: Math.max(0, Math.min(memory.freeBytes, memory.totalBytes - assigned)) };
}

/** `MemAvailable`: the kernel's estimate of free memory, including caches that it can drop. */
async function readMemory(): Promise<Memory> {
  const text = await readFile('/proc/meminfo', 'utf8').catch(() => '');
  const available = /^MemAvailable:\s+(\d+) kB$/m.exec(text)?.[1];
  const freeBytes = available === undefined ? freemem() : Number(available) * 1024;
  return { totalBytes: totalmem(), freeBytes };
}

/**
 * Checks that the host has this memory: free memory with `now`, else installed memory.
 * @param options.machines machines with assigned memory that counts as used. @default none: uses only the kernel's
 * estimate, which is cheap
 * @throws ApiError `not_enough_memory` with the numbers
 */
export async function assertMemory(
  memoryBytes: number,
  { now, machines = [] }: { now: boolean; machines?: readonly MachineStatus[] },
): Promise<void> {
  const { totalBytes, freeBytes } = await measureMemory(machines);
  const limitBytes = now ? freeBytes : totalBytes;
  if (memoryBytes <= limitBytes) return;
  const message = `The machine needs ${formatBytes(memoryBytes)} of memory; ${formatBytes(limitBytes)} ${now ? 'are free' : 'are installed'}.`;
  throw new ApiError('not_enough_memory', { field: 'memoryBytes', message });
}

/** @throws ApiError `invalid_input` */
export function assertCpus(cpus: number): void {
  const count = availableParallelism();
  if (cpus <= count) return;
  throw new ApiError('invalid_input', { field: 'cpus', message: `This host has ${count} CPUs.` });
}

/** @throws ApiError `unknown_network`, `invalid_input` */
export async function assertNetwork(hypervisor: Hypervisor, { kind, name }: VmNetwork): Promise<void> {
  if (kind === 'user' || kind === 'none') {
    if (name === null) return;
    const message = `A network of kind "${kind}" does not have a name.`;
    throw new ApiError('invalid_input', { field: 'network.name', message });
  }
  const networks = await hypervisor.networks();
  if (networks.some((network) => network.kind === kind && network.name === name)) return;
  const message = `This host has no ${kind} with this name.`;
  throw new ApiError('unknown_network', { field: 'network.name', message });
}
