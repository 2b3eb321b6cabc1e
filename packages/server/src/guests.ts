import { stat } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { defaultDataDir } from './config/data-dir.ts';
import type { Environment } from './config/settings.ts';
import { collectSettings, defaultConfigFile } from './config/settings.ts';
import { oneOf, path } from './config/values.ts';
import { createHypervisor } from './machines/host/create-hypervisor.ts';
import type { HypervisorOptions } from './machines/host/create-hypervisor.ts';
import { stopGuests } from './machines/guests/stop-guests.ts';
import type { StoppedGuest } from './machines/guests/stop-guests.ts';
import { openReadOnly } from './storage/inspection/open-read-only.ts';

export type { StoppedGuest, StopResult } from './machines/guests/stop-guests.ts';

type DriverChoice = 'auto' | 'libvirt' | 'qemu';

export interface StopGuestsOfOptions {
  /** @default as the server of this host: environment, configuration file, `$XDG_STATE_HOME/wcc` or `~/.local/state/wcc` */
  dataDir: string | null;
  /** @default as the server of this host, or `auto` */
  hypervisor: DriverChoice | null;
  environment: Environment;
  timeoutMs: number;
  onStopped?: (guest: StoppedGuest) => void;
  /** Called with what could not be read; the machines are stopped anyway. */
  onWarning: (text: string) => void;
}

/**
 * Shuts down the machines of a data directory in the reverse order of their starts, while its server runs or not. The
 * service manager calls it at the shutdown of the host.
 * @throws an error with the code `ENOENT` or `EACCES` if there is no data directory; ConfigError for its settings
 */
export async function stopGuestsOf(options: StopGuestsOfOptions): Promise<StoppedGuest[]> {
  const { environment, timeoutMs, onStopped, onWarning } = options;
  const { dataDir, driver } = readSettings(options);
  const session = await becomeOwnerOf(dataDir, environment);
  const hypervisor = await createHypervisor({
    dir: join(dataDir, 'machines'),
    driver,
    environment: session,
    isBesideServer: true,
    onError: (error) => onWarning(error instanceof Error ? error.message : String(error)),
  });
  try {
    const order = readOrder(dataDir, onWarning);
    return await stopGuests(hypervisor, { order, timeoutMs, ...(onStopped && { onStopped }) });
  } finally {
    await hypervisor.close();
  }
}

/** Reads these two only: at a shutdown, a wrong value of another setting must not keep guests from it. */
function readSettings({ dataDir, hypervisor, environment }: StopGuestsOfOptions): {
  dataDir: string;
  driver: DriverChoice;
} {
  const flags = { 'data-dir': dataDir ?? undefined, hypervisor: hypervisor ?? undefined };
  const { values } = collectSettings({ flags, config: null, environment, defaultFile: defaultConfigFile });
  const [directory, driver] = [values.get('data-dir'), values.get('hypervisor')];
  return {
    dataDir: directory === undefined ? defaultDataDir(environment) : path(directory),
    driver: driver === undefined ? 'auto' : oneOf(['auto', 'libvirt', 'qemu'] as const)(driver),
  };
}

/** As root it would leave files that the server's user cannot open, and would reach another libvirt. */
async function becomeOwnerOf(
  dataDir: string,
  { HOME, XDG_RUNTIME_DIR }: StopGuestsOfOptions['environment'],
): Promise<HypervisorOptions['environment']> {
  const { uid, gid } = await stat(dataDir);
  if (process.getuid?.() === 0 && uid !== 0) {
    process.setgroups?.([gid]);
    process.setgid?.(gid);
    process.setuid?.(uid);
    return { HOME: userInfo().homedir };
  }
  return {
    ...(HOME === undefined ? {} : { HOME }),
    ...(XDG_RUNTIME_DIR === undefined ? {} : { XDG_RUNTIME_DIR }),
  };
}

/** Machines without autostart have no place. Without the database, machines stop all at once. */
function readOrder(dataDir: string, onWarning: (text: string) => void): Map<string, number> {
  try {
    const database = openReadOnly(join(dataDir, 'wcc.sqlite'));
    try {
      const rows = database.prepare(`select uuid, autostartOrder from vms where autostart = 1`).all() as {
        uuid: string;
        autostartOrder: number;
      }[];
      return new Map(rows.map(({ uuid, autostartOrder }) => [uuid, autostartOrder]));
    } finally {
      database.close();
    }
  } catch (error) {
    onWarning(`The order of the machines cannot be read: ${(error as Error).message}`);
    return new Map();
  }
}
