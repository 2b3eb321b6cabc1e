import type { TestServer } from './server.ts';

/** Powers off all machines. Call it at the end of a test file, because machines outlive their server. */
export async function powerOffMachines({ api }: TestServer): Promise<void> {
  for (const { id, state } of (await api.vms()).items)
    if (id !== null && ['running', 'paused', 'suspended', 'crashed'].includes(state))
      await api.orderVm(id, 'power-off');
}
