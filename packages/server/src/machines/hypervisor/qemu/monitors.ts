import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { HypervisorError } from '../hypervisor-error.ts';
import { machineFiles } from './arguments.ts';
import type { Definitions } from './definitions.ts';
import type { Qmp } from './qmp.ts';
import { connectQmp } from './qmp.ts';

/** QMP connections to the running machines, opened on first use and kept for their events. */
export interface Monitors {
  /** @throws HypervisorError `no_answer` */
  of(uuid: string): Promise<Qmp>;
  drop(uuid: string): void;
  close(): void;
}

export interface MonitorsOptions {
  onChange: () => void;
  /** Another process may hold the first monitors of the machines. */
  isBesideServer: boolean;
}

export function createMonitors(
  definitions: Definitions,
  { onChange, isBesideServer }: MonitorsOptions,
): Monitors {
  const open = new Map<string, Qmp>();
  const connect = async (uuid: string): Promise<Qmp> => {
    const path = socketIn(definitions.directory(uuid), isBesideServer);
    // The connection may close during the handshake, before it is in the map.
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
    throw new HypervisorError('no_answer', { detail: 'another machine answers on this socket' });
  };
  return {
    async of(uuid) {
      const known = open.get(uuid);
      if (known?.isOpen) return known;
      const connected = await connect(uuid);
      open.set(uuid, connected);
      return connected;
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

/** A machine that an earlier wcc started has no second monitor. */
function socketIn(directory: string, isBesideServer: boolean): string {
  const second = join(directory, machineFiles.secondMonitor);
  return isBesideServer && existsSync(second) ? second : join(directory, machineFiles.monitor);
}
