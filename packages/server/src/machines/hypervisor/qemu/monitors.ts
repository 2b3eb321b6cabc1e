import { join } from 'node:path';
import { HypervisorError } from '../hypervisor-error.ts';
import { machineFiles } from './arguments.ts';
import type { Definitions } from './definitions.ts';
import type { Qmp } from './qmp.ts';
import { connectQmp } from './qmp.ts';

/** The monitors of the machines that run: connected when first wanted, kept for their events. */
export interface Monitors {
  /** @throws HypervisorError `no_answer` */
  of(uuid: string): Promise<Qmp>;
  drop(uuid: string): void;
  close(): void;
}

export function createMonitors(definitions: Definitions, onChange: () => void): Monitors {
  const open = new Map<string, Qmp>();
  const connect = async (uuid: string): Promise<Qmp> => {
    const path = join(definitions.directory(uuid), machineFiles.monitor);
    // It may close while it greets: then it was never held.
    let current: Qmp | null = null;
    const qmp = await connectQmp(path, {
      onEvent: onChange,
      onClose: () => {
        if (current !== null && open.get(uuid) === current) open.delete(uuid);
        onChange();
      },
    });
    current = qmp;
    const answer = (await qmp.execute('query-uuid')) as { UUID?: string } | null;
    if (answer?.UUID === uuid) return qmp;
    qmp.close();
    throw new HypervisorError('no_answer', { detail: 'another machine answers' });
  };
  return {
    async of(uuid) {
      const known = open.get(uuid);
      if (known?.isOpen) return known;
      const made = await connect(uuid);
      open.set(uuid, made);
      return made;
    },
    drop(uuid) {
      open.get(uuid)?.close();
      open.delete(uuid);
    },
    close() {
      for (const qmp of open.values()) qmp.close();
      open.clear();
    },
  };
}
