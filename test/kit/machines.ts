import type { TestServer } from './server.ts';

/** Machines outlive their wcc: a test file powers off all it made, also after a failed test. */
export async function powerOffMachines({ api }: TestServer): Promise<void> {
  for (const { id, state } of (await api.vms()).items)
    if (id !== null && ['running', 'paused', 'crashed'].includes(state)) await api.orderVm(id, 'power-off');
}
