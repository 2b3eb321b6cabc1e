import { ApiError } from '@wcc/api';
import type { Host, VmNetwork } from '@wcc/api';
import { availableParallelism } from 'node:os';
import { describeMissingPackages } from './hypervisor-errors.ts';
import type { Hypervisor, HypervisorFacts } from '../hypervisor.ts';
import type { MemoryPromises } from './memory.ts';

/** The facts of a hypervisor that can run machines. @throws ApiError `hypervisor_missing`, `hypervisor_unavailable` */
export async function assertHypervisor(hypervisor: Hypervisor): Promise<HypervisorFacts> {
  const facts = await hypervisor.probe();
  if (facts.missing === null && facts.acceleration !== null) return facts;
  if (facts.missing?.code === 'unavailable') throw new ApiError('hypervisor_unavailable');
  throw new ApiError('hypervisor_missing', describeMissingPackages(facts.missing?.packages ?? []));
}

/** @throws HypervisorError when its machines or networks cannot be listed */
export async function describeHost({
  hypervisor,
  memory: promises,
}: {
  hypervisor: Hypervisor;
  memory: MemoryPromises;
}): Promise<Host> {
  const { driver, acceleration, version, missing } = await hypervisor.probe();
  const works = missing === null && acceleration !== null;
  const [memory, networks] = works
    ? await Promise.all([promises.measure(), networkNames(hypervisor)])
    : [await promises.readHost(), []];
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
