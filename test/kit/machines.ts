import type { TestServer } from './server.ts';

/** Machines outlive their wcc: whoever made some turns them off at the end, those of a failed test too. */
export async function powerOffMachines({ api }: TestServer): Promise<void> {
  for (const { id, state } of (await api.vms()).items)
    if (id !== null && ['running', 'paused', 'crashed'].includes(state)) await api.orderVm(id, 'power-off');
}
